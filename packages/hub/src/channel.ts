import { clearImmediate, setImmediate } from "node:timers"; // the end of a turn, not a time
import type { Logger } from "@openscan/runtime";
import type { Batch, Connection } from "./connection.js";
import { encodeTextFrame } from "./frame.js";

/** A turn's frames above this go out before the turn ends, which bounds the batch and keeps the kernel busy. */
const batchBytes = 64 * 1024;

/**
 * The subscribers of one namespace. The cost of an event is the system call per subscriber, so the frames of
 * one turn of the event loop are joined and written once per subscriber, from one shared buffer.
 */
export class Channel {
  readonly connections = new Set<Connection>();
  readonly #log: Logger;
  #frames: Buffer[] = [];
  #bytes = 0;
  #lastType = "";
  #flushSoon: NodeJS.Immediate | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Serialises `event` as it is now, unless nobody listens. */
  publish(event: { readonly type: string }): void {
    if (this.connections.size === 0) return;
    const frame = this.#encode(event);
    if (!frame) return;
    this.#frames.push(frame);
    this.#bytes += frame.length;
    this.#lastType = event.type;
    if (this.#bytes >= batchBytes) this.flush();
    else this.#flushSoon ??= setImmediate(() => this.flush());
  }

  /** Sends what was published in this turn so far. */
  flush(): void {
    clearImmediate(this.#flushSoon);
    this.#flushSoon = undefined;
    const [first, ...others] = this.#frames;
    if (!first) return;
    const batch: Batch = {
      bytes: others.length === 0 ? first : Buffer.concat(this.#frames, this.#bytes),
      type: this.#lastType,
    };
    this.#frames = [];
    this.#bytes = 0;
    for (const connection of this.connections) connection.send(batch);
  }

  #encode(event: { readonly type: string }): Buffer | undefined {
    try {
      return encodeTextFrame(JSON.stringify(event));
    } catch (err) {
      this.#log.error({ err, type: event.type }, "an event could not be serialised and was not sent");
      return undefined;
    }
  }
}
