import { clearImmediate, setImmediate } from "node:timers"; // the end of a turn, not a time
import { encodeTextFrame } from "./frame.js";
/** A turn's frames above this go out before the turn ends, which bounds the batch and keeps the kernel busy. */
const batchBytes = 64 * 1024;
/**
 * The subscribers of one namespace. The cost of an event is the system call per subscriber, so the frames of
 * one turn of the event loop are joined and written once per subscriber, from one shared buffer.
 */
export class Channel {
  connections = new Set();
  #log;
  #frames = [];
  #bytes = 0;
  #lastType = "";
  #flushSoon;
  constructor(log) {
    this.#log = log;
  }
  /** Serialises `event` as it is now, unless nobody listens. */
  publish(event) {
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
  flush() {
    clearImmediate(this.#flushSoon);
    this.#flushSoon = undefined;
    const [first, ...others] = this.#frames;
    if (!first) return;
    const batch = {
      bytes: others.length === 0 ? first : Buffer.concat(this.#frames, this.#bytes),
      type: this.#lastType,
    };
    this.#frames = [];
    this.#bytes = 0;
    for (const connection of this.connections) connection.send(batch);
  }
  #encode(event) {
    try {
      return encodeTextFrame(JSON.stringify(event));
    } catch (err) {
      this.#log.error({ err, type: event.type }, "an event could not be serialised and was not sent");
      return undefined;
    }
  }
}
//# sourceMappingURL=channel.js.map
