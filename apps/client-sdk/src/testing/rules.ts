import type { DeviceStatus, EventOf, LiveTask, NamespaceName, Task } from "@openscan/protocol";

// The rules of docs/protocol.md once more, because those of @openscan/protocol bring a schema library.

export type AnyEvent = EventOf<"device"> | EventOf<"tasks">;

/** What the latest event of makes older ones superfluous; `undefined` for a fact, which has to be told. */
export function stateKey(event: AnyEvent): string | undefined {
  if (event.type === "device.status") return "device";
  if (event.type !== "task.update") return undefined;
  return ["running", "paused"].includes(event.task.status) ? event.task.id : undefined;
}

/** One event in place of two of the same key; `undefined` when both have to be told. */
export function merge(older: AnyEvent, newer: AnyEvent): AnyEvent | undefined {
  if (older.type === "device.status" && newer.type === "device.status") {
    return {
      ...newer,
      changed: older.changed && newer.changed && [...new Set([...older.changed, ...newer.changed])],
    };
  }
  const samePhase =
    older.type === "task.update" && newer.type === "task.update" && older.task.status === newer.task.status;
  return samePhase ? newer : undefined;
}

/** Of the task that an event is about. */
export function taskId(event: AnyEvent): string | undefined {
  switch (event.type) {
    case "task.update":
      return event.task.id;
    case "task.deleted":
    case "task.stalled":
      return event.id;
    case "photo.captured":
      return event.task_id;
    default:
      return undefined;
  }
}

/** Which parts of the device it is about; `undefined` or `null`: any. */
export function changedPaths(event: AnyEvent): readonly string[] | null | undefined {
  if (event.type === "device.status") return event.changed;
  return event.type === "device.fault" ? [event.component] : undefined;
}

/** As a client of the legacy dialect gets it; `undefined` when it knows no such thing. */
export function legacyForm(event: AnyEvent): object | undefined {
  if (event.type === "device.status") return event;
  return event.type === "task.update" ? { ...event, task: legacyTask(event.task) } : undefined;
}

export function legacyTask(live: LiveTask): Task {
  const { revision: _, ...task } = live;
  return task;
}

/** The whole state as one event. */
export function snapshotOf(
  namespace: NamespaceName,
  state: { readonly device: DeviceStatus; readonly tasks: readonly LiveTask[] },
  ids: readonly string[] | undefined,
): object {
  if (namespace === "device") {
    return { type: "device.status", device: state.device, changed: null, snapshot: true };
  }
  const tasks = state.tasks.filter(({ id }) => ids === undefined || ids.includes(id));
  return { type: "tasks.snapshot", tasks, snapshot: true };
}
