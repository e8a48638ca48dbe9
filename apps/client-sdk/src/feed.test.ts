import type { DeviceStatus, Task, TaskStatus } from "@openscan/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { completed, device, running, task } from "../test/support/fixtures.js";
import { status, update } from "../test/support/messages.js";
import { type DeviceEvent, deviceFeed } from "./device-feed.js";
import { compact } from "./feed.js";
import type { Resync } from "./store.js";
import { type TaskEvent, tasksFeed } from "./tasks-feed.js";

type TaskItem = TaskEvent | Resync<readonly Task[]>;
type DeviceItem = DeviceEvent | Resync<DeviceStatus | null>;

const resync = <State>(state: State, lost = false) => ({ type: "resync", state, lost }) as const;
const fault = { type: "device.fault", component: "motors.m", code: "timeout", message: "" } as const;

test("of a task the latest progress is kept, and every change of status", () => {
  const events = [
    update(task("a")),
    update(running("a", 1)),
    update(running("b", 1)),
    update(running("a", 2)),
    update(running("b", 2)),
    update({ ...running("a", 2), status: "paused" }),
    update(running("a", 3)),
    update(running("a", 4)),
    update(completed("a")),
  ];
  expect(compact<TaskItem>(events, tasksFeed)).toEqual([0, 3, 4, 5, 7, 8].map((kept) => events[kept]));
});

test("facts and snapshots are never merged", () => {
  const events = [
    resync([], true),
    update(task("a")),
    update(task("a")),
    { type: "task.deleted", id: "a" } as const,
    update(completed("a")),
    update(completed("a")),
    resync([]),
  ];
  expect(compact<TaskItem>(events, tasksFeed)).toEqual(events);
  const faults = [fault, status(device("1"), ["a"]), fault, status(device("2"), ["b"])];
  expect(compact<DeviceItem>(faults, deviceFeed)).toEqual([fault, fault, status(device("2"), ["a", "b"])]);
});

test("of the device the latest is kept with the union of what changed, null if one could not say", () => {
  const three = [status(device("1"), ["a", "b"]), status(device("2"), ["b"]), status(device("3"), ["c"])];
  expect(compact<DeviceItem>(three, deviceFeed)).toEqual([status(device("3"), ["a", "b", "c"])]);
  expect(compact<DeviceItem>([status(device("1"), null), ...three], deviceFeed)).toEqual([
    status(device("3"), null),
  ]);
});

test("for any sequence, merging leaves out what the next event of the same task supersedes, and nothing else", () => {
  const statuses: TaskStatus[] = ["pending", "running", "paused", "completed", "error"];
  const changes = fc.array(
    fc.record({
      id: fc.constantFrom("a", "b", "c"),
      status: fc.constantFrom(...statuses),
      current: fc.nat(9),
    }),
    { maxLength: 60 },
  );
  const isState = ({ status }: Task) => status === "running" || status === "paused";
  fc.assert(
    fc.property(changes, (all) => {
      const before = all.map(({ id, status, current }) => update({ ...running(id, current), status }));
      const after = compact<TaskItem>(before, tasksFeed) as typeof before;
      const places = after.map((event) => before.indexOf(event));
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      for (const id of ["a", "b", "c"]) {
        const [told, kept] = [before, after].map((list) =>
          list.filter((event) => event.task.id === id).map((event) => event.task),
        );
        const needed = told?.filter((task, at) => !isState(task) || told[at + 1]?.status !== task.status);
        expect(kept).toEqual(needed);
      }
      expect(compact<TaskItem>(after, tasksFeed)).toEqual(after);
    }),
    { numRuns: 200 },
  );
});
