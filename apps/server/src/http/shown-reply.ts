import {
  type ApiVersion,
  DeviceControl,
  DeviceStatus,
  type Endpoint,
  legacyTask,
  type LiveTask,
} from "@openscan/protocol";

/** A reply as a version of the API shows it: the numbered ones leave out what their clients never saw. */
export function shownReply({ describes, response }: Endpoint, version: ApiVersion, reply: unknown): unknown {
  if (version === "next") return reply;
  if (describes === "tasks")
    return Array.isArray(reply) ? (reply as LiveTask[]).map(legacyTask) : legacyTask(reply as LiveTask);
  if (response === DeviceStatus) return withoutTriggers(reply as DeviceStatus);
  if (response !== DeviceControl) return reply;
  const control = reply as DeviceControl;
  return { ...control, status: withoutTriggers(control.status) };
}

function withoutTriggers(status: DeviceStatus): Omit<DeviceStatus, "triggers"> {
  const { triggers: _, ...others } = status;
  return others;
}
