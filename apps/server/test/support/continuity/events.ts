import type { EventOf } from "@openscan/protocol";

/*
 * What the hub and the SDK have to know about events, written once more from the specification: a mistake in the
 * definitions that they share must not be shared by their test.
 */

export type AnyEvent = EventOf<"tasks"> | EventOf<"device">;

/** What may be neither merged nor dropped. */
export function isFact(event: AnyEvent): boolean {
  return stateKey(event) === undefined;
}

/** What an event is the newest state of, whatever came before; undefined for facts. */
export function stateKey(event: AnyEvent): string | undefined {
  if (event.type === "device.status") return "device";
  return event.type === "task.update" && ["running", "paused"].includes(event.task.status)
    ? event.task.id
    : undefined;
}

/** The task that an event is about. */
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

/** What of the device an event is about; null when it may be anything. */
export function changedPaths(event: AnyEvent): readonly string[] | null | undefined {
  if (event.type === "device.status") return event.changed;
  return event.type === "device.fault" ? [event.component] : undefined;
}

/** What makes an event of a `Scanner` another one than all others. */
export function nameOf(event: AnyEvent): string {
  switch (event.type) {
    case "task.update":
      return `${event.task.id} revision ${event.task.revision}`;
    case "task.deleted":
      return `${event.id} deleted`;
    case "task.stalled":
      return `${event.id} stalled ${event.seconds}`;
    case "photo.captured":
      return event.file;
    case "device.fault":
      return event.message;
    case "device.status":
      return `device ${event.device.scan_radius_mm}`;
  }
}
