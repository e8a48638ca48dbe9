import { type Feed, type Invalid, isObject, type Schema } from "./feed.js";

interface Ping {
  readonly type: "ping";
}

/** Reads one message; `undefined` for types that this client does not know. */
export function readMessage<Event extends { type: string }>(
  data: unknown,
  feed: Pick<Feed<Event, never>, "type" | "isEvent">,
  schema: Schema<Event> | undefined,
): Event | Ping | Invalid | undefined {
  if (typeof data !== "string") return invalid(data, "a binary message");
  let message: unknown;
  try {
    message = JSON.parse(data);
  } catch (error) {
    return invalid(data, String(error));
  }
  if (!isObject(message) || typeof message["type"] !== "string") return invalid(message, "has no type");
  if (message["type"] === "ping") return { type: "ping" };
  if (message["type"] !== feed.type) return undefined;
  if (!feed.isEvent(message)) return invalid(message, `is no ${feed.type}`);
  if (!schema) return message as unknown as Event;
  const result = schema.safeParse(message);
  return result.success ? result.data : invalid(message, result.error);
}

function invalid(message: unknown, reason: unknown): Invalid {
  return { type: "invalid", message, reason };
}
