import type { Device } from "@openscan/hardware";
import type { Hub } from "@openscan/hub";
import { type EventOf, getScanPhoto } from "@openscan/protocol";
import type { Emitter } from "@openscan/runtime";
import type { TaskManager } from "@openscan/tasks";
import type { SavedPhoto } from "./projects/project-store.js";
import type { Stall } from "./tasks/stalled-tasks.js";

interface Sources {
  readonly hub: Pick<Hub, "publish">;
  readonly device: Pick<Device, "changes" | "faults" | "status">;
  readonly tasks: Pick<TaskManager, "events">;
  readonly photos: Emitter<SavedPhoto>;
  readonly stalls: Emitter<Stall>;
}

/**
 * Connects what happens in the scanner with the streams that tell of it: a namespace is fed here. A source has
 * changed before it tells so: state that is asked of it is never older than what was published.
 */
export function connectFeeds({ hub, device, tasks, photos, stalls }: Sources): void {
  device.changes.on(({ changed }) => {
    hub.publish("device", {
      type: "device.status",
      device: device.status(),
      changed: changed === null ? null : [...changed],
    });
  });
  device.faults.on((fault) => hub.publish("device", { type: "device.fault", ...fault }));
  tasks.events.on((event) => {
    hub.publish(
      "tasks",
      event.type === "updated"
        ? { type: "task.update", task: event.task }
        : { type: "task.deleted", id: event.id },
    );
  });
  stalls.on((stall) => hub.publish("tasks", { type: "task.stalled", ...stall }));
  photos.on((photo) => {
    const event = photoCaptured(photo);
    if (event) hub.publish("tasks", event);
  });
}

/** Nothing for a photo that no task has taken. */
function photoCaptured({ scan, file, metadata }: SavedPhoto): EventOf<"tasks"> | undefined {
  const { project_name, index, task_id } = scan;
  const place = metadata.scan_metadata;
  if (task_id === null || place === null) return undefined;
  const path = getScanPhoto.path
    .replace("{project_name}", encodeURIComponent(project_name))
    .replace("{scan_index}", String(index));
  return {
    type: "photo.captured",
    task_id,
    project: project_name,
    scan: index,
    file,
    theta: place.polar_coordinates.theta,
    fi: place.polar_coordinates.fi,
    stack_index: place.stack_index,
    sharpness: null,
    url: `${path}?${new URLSearchParams({ filename: file, file_only: "true" })}`,
  };
}
