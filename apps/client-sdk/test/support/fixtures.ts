import {
  type DeviceStatus,
  DeviceStatus as DeviceSchema,
  Task as TaskSchema,
  type Task,
} from "@openscan/protocol";

const created = "2026-01-01T00:00:00.000Z";

export function task(id: string, changes: Partial<Task> = {}): Task {
  return TaskSchema.parse({ id, name: "scan_task", task_type: "scan_task", created_at: created, ...changes });
}

/** A task that runs since `started_at` and has done `current` of 10 steps. */
export function running(id: string, current: number, changes: Partial<Task> = {}): Task {
  return task(id, {
    status: "running",
    started_at: created,
    progress: { current, total: 10, message: "" },
    ...changes,
  });
}

export function completed(id: string): Task {
  return running(id, 10, { status: "completed", completed_at: "2026-01-01T00:01:00.000Z" });
}

export function device(name: string): DeviceStatus {
  return DeviceSchema.parse({
    name,
    model: "mini",
    shield: "greenshield",
    cameras: {},
    motors: {},
    lights: {},
    triggers: {},
    endstops: {},
    motors_timeout: 0,
    scan_radius_mm: 1,
    startup_mode: "startup_enabled",
    calibrate_mode: "calibrate_manual",
    initialized: true,
    idle: false,
  });
}
