import { type ApiVersion, type Endpoint, legacyTask, type LiveTask } from "@openscan/protocol";

/** A reply as a version of the API shows it: tasks of the numbered ones have no revision, as clients know them. */
export function shownReply({ describes }: Endpoint, version: ApiVersion, reply: unknown): unknown {
  if (describes !== "tasks" || version === "next") return reply;
  return Array.isArray(reply) ? (reply as LiveTask[]).map(legacyTask) : legacyTask(reply as LiveTask);
}
