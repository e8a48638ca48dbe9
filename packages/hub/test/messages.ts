import {
  type EventDefinition,
  type EventOf,
  type NamespaceDefinition,
  type NamespaceName,
  namespaces,
} from "@openscan/protocol";
import { Message } from "../src/message.js";
import { taskUpdate } from "./rig.js";

/** Makes messages as a channel does, one `seq` after the other. */
export function messageMaker<Name extends NamespaceName>(name: Name, now = () => 0) {
  const { events } = namespaces[name] as unknown as NamespaceDefinition;
  let seq = 0;
  return (event: EventOf<Name>) => {
    const { type } = event as { type: string };
    const definition = events[type] as EventDefinition;
    return new Message(event as { type: string }, definition, {
      seq: ++seq,
      ts: "2026-01-01T00:00:00.000Z",
      at: now(),
    });
  };
}

/** What a schedule of a property test publishes; a small alphabet, so that things meet. */
export type Happening =
  | { readonly what: "progress" | "pause" | "end"; readonly id: string }
  | { readonly what: "deleted"; readonly id: string };

export function taskEvent({ what, id }: Happening, count: number, size = 0): EventOf<"tasks"> {
  if (what === "deleted") return { type: "task.deleted", id };
  const status = { progress: "running", pause: "paused", end: "completed" } as const;
  const { type, task } = taskUpdate(count, size);
  return { type, task: { ...task, id, status: status[what] } };
}
