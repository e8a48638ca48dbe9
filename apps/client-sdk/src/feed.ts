import type { NamespaceName } from "@openscan/protocol";
import type { Rest } from "./rest.js";

/** A message that could not be used. The stream goes on. */
export interface Invalid {
  readonly type: "invalid";
  /** What the server sent: a parsed message, or the raw data when it was none. */
  readonly message: unknown;
  /** Why, as text or as the issues of the schema. */
  readonly reason: unknown;
}

/** What of a zod schema the client calls; any validator with this method will do. */
export interface Schema<Output> {
  safeParse(value: unknown): { success: true; data: Output } | { success: false; error: unknown };
}

/**
 * All that differs between the namespaces: their events, how to fetch the present state, and how events
 * change it. A namespace is added by writing one of these.
 */
export interface Feed<Event extends { type: string }, Resync extends { type: "resync" }> {
  readonly name: NamespaceName;
  /** Other types of message are ignored, as the protocol asks. */
  readonly type: Event["type"];
  /** Has what the client itself relies on. */
  isEvent(message: Record<string, unknown>): boolean;
  /** The present state by REST. */
  resync(rest: Rest, signal: AbortSignal): Promise<Resync>;
  /** The state after `event`; `undefined` when the event is certainly older than the state. */
  fold(state: Resync, event: Event): Resync | undefined;
  /** Merges what a slow reader need not see one by one. */
  compact(items: readonly (Event | Resync | Invalid)[]): (Event | Resync | Invalid)[];
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
