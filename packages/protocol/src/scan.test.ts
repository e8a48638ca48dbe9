import { expect, test } from "vitest";
import { ScanRequest, ScanSettings } from "./scan.js";
import { Task } from "./task.js";

test("an empty request is a scan with the documented defaults", () => {
  expect(ScanRequest.parse({})).toEqual({
    path_method: "fibonacci",
    points: 130,
    image_format: "jpeg",
    min_theta: 12,
    max_theta: 125,
    min_phi: 0,
    max_phi: 360,
    optimize_path: true,
    optimization_algorithm: "nearest_neighbor",
    focus_stacks: 1,
    pause_before_capture_ms: 0,
    focus_range: [10, 15],
  });
});

test.each([
  [{ points: 0 }, "points"],
  [{ points: 1000 }, "points"],
  [{ path_method: "spiral" }, "path_method"],
  [{ focus_stacks: 100 }, "focus_stacks"],
  [{ focus_range: [1, 16] }, "focus_range"],
])("%j is refused for %s", (change, field) => {
  expect(ScanSettings.safeParse(change).error?.issues[0]?.path[0]).toBe(field);
});

test.each([
  [{ min_theta: 90, max_theta: 20 }, "min_theta"],
  [{ optimization_algorithm: "fastest" }, "optimization_algorithm"],
  [{ pause_before_capture_ms: 600_001 }, "pause_before_capture_ms"],
])("defect 27: %j is refused before the start, though an old file may hold it", (change, field) => {
  expect(ScanRequest.safeParse(change).error?.issues[0]?.path[0]).toBe(field);
  expect(ScanSettings.safeParse(change).success).toBe(true);
});

test("a task record of the older backend gets every field", () => {
  expect(
    Task.parse({
      id: "1",
      name: "scan_task",
      task_type: "scan_task",
      created_at: "2026-01-01T10:00:00.000001",
    }),
  ).toEqual({
    id: "1",
    name: "scan_task",
    task_type: "scan_task",
    is_exclusive: false,
    is_blocking: false,
    status: "pending",
    progress: { current: 0, total: 0, message: "" },
    result: null,
    error: null,
    created_at: "2026-01-01T10:00:00.000001",
    started_at: null,
    completed_at: null,
    run_args: [],
    run_kwargs: {},
  });
});
