import type { Device } from "@openscan/hardware";
import type { Hub } from "@openscan/hub";
import type { TaskManager } from "@openscan/tasks";

interface Sources {
  readonly hub: Hub;
  readonly device: Device;
  readonly tasks: TaskManager;
}

/** Connects what happens in the scanner with the streams that tell of it: a namespace is fed here. */
export function connectFeeds({ hub, device, tasks }: Sources): void {
  device.changes.on(({ changed }) => {
    hub.publish("device", {
      type: "device.status",
      device: device.status(),
      changed: changed === null ? null : [...changed],
    });
  });
  tasks.events.on((event) => {
    // Existing clients know no message for a task that is gone.
    if (event.type === "updated") hub.publish("tasks", { type: "task.update", task: event.task });
  });
}
