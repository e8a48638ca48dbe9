import { z } from "zod";
import { Timestamp } from "./scalars.js";

/** WebSocket subprotocols. A bearer token follows its prefix in base64url. */
export const subprotocols = { v1: "openscan.v1", bearerPrefix: "openscan.bearer." } as const;

/** Close codes that mean something beyond RFC 6455; `final`: trying again would end the same way. */
export const closeCodes = {
  goingAway: { code: 1001, final: false },
  unsupportedData: { code: 1003, final: false },
  policyViolation: { code: 1008, final: false },
  messageTooBig: { code: 1009, final: false },
  restart: { code: 1012, final: false },
  tryLater: { code: 1013, final: false },
  tooSlow: { code: 4008, final: false },
  resync: { code: 4009, final: false },
  unauthorized: { code: 4401, final: true },
  forbidden: { code: 4403, final: true },
  versionNotSupported: { code: 4406, final: true },
} as const;

/** Where an event stands in its namespace and on its connection (v1). */
export const Envelope = z.object({
  seq: z.int().min(0).describe("+1 for each event published in the namespace"),
  prev: z
    .int()
    .min(0)
    .nullable()
    .describe("seq of the event sent before on this connection; null in a snapshot that begins the chain"),
  ts: Timestamp.describe("when the change happened"),
});
export type Envelope = z.output<typeof Envelope>;

/** The first message of a v1 connection. */
export const Hello = z.object({
  type: z.literal("hello"),
  protocol: z.literal(1),
  server: z.object({
    name: z.string(),
    version: z.string(),
    instance: z.string().describe("new for each process"),
  }),
  namespace: z.string(),
  epoch: z.string().describe("seq numbers of different epochs cannot be compared"),
  seq: z.int().min(0).describe("of the newest event when the connection was accepted"),
  now: Timestamp.describe("the server's clock"),
  heartbeat_ms: z.int().describe("longest silence of a healthy server"),
  resume: z.object({
    max_events: z.int().describe("longest gap that can be replayed"),
    max_age_ms: z.int(),
    recovered: z
      .boolean()
      .nullable()
      .describe("whether every missed event follows; null when nothing was to be resumed"),
  }),
});
export type Hello = z.output<typeof Hello>;

/** Sent to a connection that has got no message for 30 s; not an event. */
export const Ping = z.object({
  type: z.literal("ping"),
  last: z.int().min(0).nullable().optional().describe("v1: seq of the last event sent on this connection"),
});
export type Ping = z.output<typeof Ping>;

/** What is wrong with what the client asked for (v1); the connection stays open. */
export const ErrorMessage = z.object({
  type: z.literal("error"),
  code: z.enum(["invalid", "unsupported"]),
  message: z.string(),
});
export type ErrorMessage = z.output<typeof ErrorMessage>;

const list = z.array(z.string().min(1).max(256)).min(1).max(64);

/** What a v1 connection asks for, in the query of its URL or in a `subscribe` message. */
export const StreamOptions = z.object({
  types: list.optional().describe("only events of these types; device.status includes its deltas"),
  ids: list.optional().describe("only events of these tasks"),
  paths: list.optional().describe("only changes at or below these paths; * stands for any text"),
  min_interval: z.int().min(0).max(60_000).optional().describe("ms; at most one state event per key in it"),
  delta: z.boolean().optional().describe("device.delta instead of device.status where possible"),
  since: z.int().min(0).optional().describe("resume after the event with this seq"),
  epoch: z.string().max(64).optional().describe("of which `since` is"),
});
export type StreamOptions = z.output<typeof StreamOptions>;

/** Replaces the filter of a v1 connection; as the first message of a legacy connection it makes it v1. */
export const Subscribe = StreamOptions.extend({ type: z.literal("subscribe") });
export type Subscribe = z.output<typeof Subscribe>;
