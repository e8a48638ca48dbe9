import { z } from "zod";

/** A stream of events under one name: `ws://…/ws/<name>`. */
export interface NamespaceDefinition<Name extends string = string, Event extends z.ZodType = z.ZodType> {
  readonly name: Name;
  readonly event: Event;
}

export function defineNamespace<Name extends string, Event extends z.ZodType>(
  name: Name,
  event: Event,
): NamespaceDefinition<Name, Event> {
  return { name, event };
}

/** Sent to a connection that has heard nothing for 30 s; not an event. */
export const Ping = z.object({ type: z.literal("ping") });
export type Ping = z.output<typeof Ping>;
