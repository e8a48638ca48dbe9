import { isObject, type Message, must } from "./feed.js";

/** @throws when it is no JSON object with a type */
export function parseMessage(data: unknown): Message {
  must(typeof data === "string", "text");
  const message: unknown = JSON.parse(data);
  must(isObject(message) && typeof message["type"] === "string", "the type");
  return message as Message;
}
