import { encodeTextFrame } from "./frame.js";
import { Heartbeat } from "./heartbeat.js";
import { StallWatch } from "./stall-watch.js";
const unsupportedMessage = 1003;
const tooSlow = 4008;
const goodbyeMs = 1_000;
const ping = { bytes: encodeTextFrame(JSON.stringify({ type: "ping" })), type: "ping" };
/**
 * One subscriber. `ws` does the handshake, reads, answers pings and closes; data frames go to its TCP socket
 * directly. Both write whole frames synchronously, so they cannot interleave.
 */
export class Connection {
  /** Settles when the socket has closed or was given up. */
  gone;
  #webSocket;
  #tcp;
  #options;
  #address;
  #heartbeat;
  #stallWatch;
  /** Batches for which the socket has no room yet. */
  #queue = [];
  #queuedBytes = 0;
  #lastType = "";
  #lastTextAt;
  #closing = false;
  #cancelTermination = () => {};
  #settleGone = () => {};
  constructor({ webSocket, tcp }, options) {
    const { clock, log } = options;
    this.#webSocket = webSocket;
    this.#tcp = tcp;
    this.#options = options;
    const address = `${tcp.remoteAddress}:${tcp.remotePort}`;
    this.#address = address;
    this.#lastTextAt = clock.monotonic();
    this.#heartbeat = new Heartbeat(clock, {
      ping: () => webSocket.ping(),
      idle: () => this.send(ping),
      dead: () => {
        log.info({ address }, "gave up a client that answers no pings");
        this.terminate();
      },
    });
    this.#stallWatch = new StallWatch(clock, tcp, () => this.#giveUp());
    this.gone = new Promise((resolve) => {
      this.#settleGone = resolve;
    });
    webSocket.on("message", (_, isBinary) => {
      if (isBinary) this.close(unsupportedMessage, "text messages only");
      else this.#lastTextAt = clock.monotonic();
    });
    webSocket.on("pong", () => this.#heartbeat.ponged());
    webSocket.on("error", (err) => {
      // A protocol error, for which `ws` has sent the close frame already, or a broken socket.
      log.debug({ address, err }, "a client's connection failed");
      this.close();
    });
    tcp.on("drain", () => this.#writeQueued());
  }
  /** Whether it still receives events. */
  get open() {
    return !this.#closing && this.#webSocket.readyState === this.#webSocket.OPEN;
  }
  /** Monotonic ms of the last inbound text, or of the start when there was none. */
  get lastTextAt() {
    return this.#lastTextAt;
  }
  /** Bytes that the kernel has not taken yet. */
  get pendingBytes() {
    return this.#queuedBytes + this.#tcp.writableLength;
  }
  /** Sends in order and never waits; does nothing once the connection is closing. */
  send(batch) {
    if (!this.open) return;
    this.#lastType = batch.type;
    if (this.pendingBytes > this.#options.maxPendingBytes) {
      this.#giveUp();
      return;
    }
    this.#heartbeat.sent();
    if (this.#queue.length > 0 || this.#full) {
      this.#queue.push(batch);
      this.#queuedBytes += batch.bytes.length;
    } else {
      this.#tcp.write(batch.bytes);
    }
    this.#stallWatch.wrote();
  }
  /** Starts the close handshake, after what is queued; a client that does not finish it within a second is cut off. */
  close(code, reason) {
    if (this.#closing) return;
    if (this.open && code !== tooSlow) for (const { bytes } of this.#queue) this.#tcp.write(bytes);
    this.#stop();
    this.#webSocket.close(code, reason);
    this.#cancelTermination = this.#options.clock.after(goodbyeMs, () => this.terminate());
  }
  terminate() {
    this.#webSocket.terminate();
    this.closed();
  }
  /** To be called when the socket has closed. */
  closed() {
    this.#stop();
    this.#cancelTermination();
    this.#settleGone();
  }
  #stop() {
    this.#closing = true;
    this.#heartbeat.stop();
    this.#stallWatch.stop();
    this.#queue = [];
    this.#queuedBytes = 0;
  }
  /** The socket holds enough; it emits `drain` when it is empty again. */
  get #full() {
    return this.#tcp.writableLength >= this.#tcp.writableHighWaterMark;
  }
  #writeQueued() {
    // The client may have begun to close: nothing may follow the answer to that.
    if (!this.open) return;
    let written = 0;
    for (const batch of this.#queue) {
      if (this.#full) break;
      this.#tcp.write(batch.bytes);
      this.#queuedBytes -= batch.bytes.length;
      written++;
    }
    this.#queue.splice(0, written);
  }
  #giveUp() {
    const { log, onTooSlow } = this.#options;
    log.warn(
      { address: this.#address, bytes: this.pendingBytes, type: this.#lastType },
      "closed a client that is too slow",
    );
    onTooSlow();
    this.close(tooSlow, "too slow");
  }
}
//# sourceMappingURL=connection.js.map
