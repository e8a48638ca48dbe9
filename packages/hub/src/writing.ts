import { encodeTextFrames } from "./frame.js";
import type { Dialect, Message } from "./message.js";

/** Where a connection stands: what was sent on it last. */
export interface Position {
  /** `seq` of the last event. */
  readonly prev: number | null;
  /** The event that the next delta is based on. */
  readonly base: Message | undefined;
}

export const nowhere: Position = { prev: null, base: undefined };

export interface Style {
  readonly dialect: Dialect;
  readonly delta: boolean;
}

export const styles = {
  legacy: { dialect: "legacy", delta: false },
  v1: { dialect: "v1", delta: false },
  v1Delta: { dialect: "v1", delta: true },
} as const satisfies Record<string, Style>;

/** Frames, and where they lead to. */
export interface Written {
  readonly frames: Buffer;
  readonly position: Position;
}

/**
 * Deltas never reach over a multiple of this: a full event is sent at least as often. A place in the stream
 * instead of a count per connection, so that connections in step share their frames.
 */
const deltaBlock = 100;

/** Frames of `messages` for a connection that stands at `from`. */
export function write(messages: readonly Message[], { dialect, delta }: Style, from: Position): Written {
  if (dialect === "legacy") {
    const texts = messages.map((message) => message.text("legacy") ?? "");
    return { frames: encodeTextFrames(texts), position: from };
  }
  let { prev, base } = from;
  const texts: string[] = [];
  for (const message of messages) {
    const text = delta ? (deltaText(base, message) ?? fullText(message)) : fullText(message);
    texts.push(inEnvelope(text, message.seq, prev, message.ts));
    prev = message.seq;
    if (delta && message.definition.delta) base = message;
  }
  return { frames: encodeTextFrames(texts), position: { prev, base } };
}

/** A JSON object with the envelope as its last members. */
export function inEnvelope(text: string, seq: number, prev: number | null, ts: string): string {
  return `${text.slice(0, -1)},"seq":${seq},"prev":${prev},"ts":"${ts}"}`;
}

function fullText(message: Message): string {
  return message.text("v1") ?? "";
}

function deltaText(base: Message | undefined, message: Message): string | undefined {
  if (!base || !message.definition.delta) return undefined;
  if (Math.floor(base.seq / deltaBlock) !== Math.floor(message.seq / deltaBlock)) return undefined;
  return JSON.stringify(message.definition.delta(base.event, message.event));
}
