import type { Device } from "@openscan/hardware";
import type { Hub } from "@openscan/hub";
import { type EventOf, getScanPhoto } from "@openscan/protocol";
import type { Emitter, Logger } from "@openscan/runtime";
import type { TaskManager } from "@openscan/tasks";
import { OrderedByKey } from "./ordered-by-key.js";
import type { SavedPhoto } from "./projects/project-store.js";
import type { Stall } from "./tasks/stalled-tasks.js";

interface Sources {
  readonly hub: Pick<Hub, "publish">;
  readonly device: Pick<Device, "changes" | "faults" | "status">;
  readonly tasks: Pick<TaskManager, "events">;
  readonly photos: Emitter<SavedPhoto>;
  readonly stalls: Emitter<Stall>;
  readonly log: Logger;
  /** How sharp a photo is; null when it was not measured. Without it none is. */
  readonly sharpness?: (photo: SavedPhoto) => Promise<number | null>;
}

interface Feeds {
  /** Resolves when everything that has happened so far was published. */
  settled(): Promise<void>;
}

/**
 * Connects what happens in the scanner with the streams that tell of it: a namespace is fed here. A source has
 * changed before it tells so: state that is asked of it is never older than what was published.
 */
export function connectFeeds({ hub, device, tasks, photos, stalls, sharpness, log }: Sources): Feeds {
  device.changes.on(({ changed }) => {
    hub.publish("device", {
      type: "device.status",
      device: device.status(),
      changed: changed === null ? null : [...changed],
    });
  });
  device.faults.on((fault) => hub.publish("device", { type: "device.fault", ...fault }));
  // A photo is told of when it was measured. What happens to its task meanwhile comes after it, as it does in truth.
  const ofTasks = new OrderedByKey((err) => log.error({ err }, "an event was not published"));
  tasks.events.on((event) => {
    const [id, told]: [string, EventOf<"tasks">] =
      event.type === "updated"
        ? [event.task.id, { type: "task.update", task: event.task }]
        : [event.id, { type: "task.deleted", id: event.id }];
    ofTasks.run(id, () => hub.publish("tasks", told));
  });
  stalls.on((stall) => hub.publish("tasks", { type: "task.stalled", ...stall }));
  photos.on((photo) => {
    const event = photoCaptured(photo);
    if (!event) return;
    const measured = sharpness?.(photo);
    if (!measured) ofTasks.run(event.task_id, () => hub.publish("tasks", event));
    else
      ofTasks.wait(event.task_id, measured, (figure) =>
        hub.publish("tasks", { ...event, sharpness: figure }),
      );
  });
  return { settled: () => ofTasks.settled() };
}

type PhotoCaptured = Extract<EventOf<"tasks">, { type: "photo.captured" }>;

/** Nothing for a photo that no task has taken. */
function photoCaptured({ scan, file, metadata }: SavedPhoto): PhotoCaptured | undefined {
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
