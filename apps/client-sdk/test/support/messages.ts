import type { DeviceStatus, LiveTask, Task } from "@openscan/protocol";

/** Messages of a v1 server. */
const ts = "2026-01-01T00:00:00.000Z";

export function hello(seq: number, recovered: boolean | null = null, epoch = "epoch") {
  return {
    type: "hello",
    protocol: 1,
    server: { name: "fake", version: "0", instance: "i" },
    namespace: "any",
    epoch,
    seq,
    now: ts,
    heartbeat_ms: 30_000,
    resume: { max_events: 100, max_age_ms: 60_000, recovered },
  };
}

/** An event in its envelope; it follows on `seq - 1` unless told. */
export function told<Event extends object>(seq: number, event: Event, prev: number | null = seq - 1) {
  return { ...event, seq, prev, ts };
}

export function tasksSnapshot(seq: number, ...tasks: readonly Task[]) {
  return told(seq, { type: "tasks.snapshot", tasks, snapshot: true }, null);
}

export function deviceSnapshot(seq: number, device: DeviceStatus) {
  return told(seq, { type: "device.status", device, changed: null, snapshot: true }, null);
}

export function update(task: Task) {
  return { type: "task.update", task } as const;
}

export function status(device: DeviceStatus, changed: string[] | null) {
  return { type: "device.status", device, changed } as const;
}

export function delta(set: Record<string, unknown>, unset: string[] = [], changed: string[] | null = null) {
  return { type: "device.delta", set, unset, changed };
}

export function revised(task: Task, revision: number): LiveTask {
  return { ...task, revision };
}
