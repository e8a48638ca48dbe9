import { closeCodes } from "@openscan/protocol";
import type { Clock, Logger } from "@openscan/runtime";
import type { Counters } from "./counters.js";
import { encodeTextFrames } from "./frame.js";
import { Heart, type Heartbeat, type Need } from "./heartbeat.js";
import type { HubSocket, HubTcpSocket, HubWebSocket } from "./hub-socket.js";
import { Inbound } from "./inbound.js";
import { watchForStall } from "./stall-watch.js";
import type { Stream } from "./stream.js";
import type { Turn } from "./turn.js";
import { violationCode } from "./violation.js";

/** What the connections of a namespace have in common. */
export interface ConnectionHost {
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: Counters;
  readonly heartbeat: Heartbeat;
  /** A text that may mean something came: the first one, or any of a v1 client. */
  heard(connection: Connection, text: string): void;
  /** Sends what was published so far, so that nothing is told before it. */
  flush(): void;
  /** The connection has ended. */
  left(connection: Connection): void;
}

const open = 1;
const goodbyeMs = 1_000;
const abnormalClosure = 1006; // RFC 6455: what an end without a close frame is called
const internalError = 1011; // RFC 6455
const legacyPing = encodeTextFrames([JSON.stringify({ type: "ping" })]);

/** Where listeners find their connection: closures would add 200 bytes to each. */
const owner = Symbol("connection");
type Owned = HubWebSocket & { [owner]: Connection };

/**
 * One subscriber's socket. `ws` does the handshake, reads, answers pings and closes; data frames go to its TCP
 * socket directly. Both write whole frames synchronously, so they cannot interleave. Few frames are handed to
 * the socket; the rest waits in the stream, where it can still be merged.
 */
export class Connection {
  readonly heart: Heart;
  readonly #webSocket: HubWebSocket;
  readonly #tcp: HubTcpSocket;
  readonly #host: ConnectionHost;
  readonly #since: number;
  /** Most clients never say a word. */
  #inbound: Inbound | undefined;
  #stream: Stream;
  #lastType = "";
  #hearsDrain = false;
  #closing = false;
  #isGone = false;
  #endStallWatch: (() => void) | undefined;
  #cancelHold: (() => void) | undefined;
  #cancelTermination: (() => void) | undefined;
  #settleGone: (() => void) | undefined;

  constructor({ webSocket, tcp }: HubSocket, host: ConnectionHost, stream: Stream) {
    this.#since = Math.round(host.clock.monotonic());
    this.heart = new Heart(this.#since);
    this.#webSocket = webSocket;
    this.#tcp = tcp;
    this.#host = host;
    this.#stream = stream;
    host.heartbeat.add(this);
    (webSocket as Owned)[owner] = this;
    webSocket.on("message", Connection.#onMessage);
    webSocket.on("pong", Connection.#onPong);
    webSocket.on("error", Connection.#onError);
  }

  static #onMessage(this: Owned, message: { toString(): string }, isBinary: boolean): void {
    this[owner].#receive(message, isBinary);
  }

  static #onPong(this: Owned): void {
    const connection = this[owner];
    connection.heart.ponged(connection.#host.clock.monotonic());
  }

  static #onError(this: Owned, err: Error): void {
    this[owner].#failed(err);
  }

  get stream(): Stream {
    return this.#stream;
  }

  /** Whether it still receives events. */
  get isOpen(): boolean {
    return !this.#closing && this.#webSocket.readyState === open;
  }

  /** Monotonic ms of the last inbound text, or of the start when there was none. */
  get lastTextAt(): number {
    return this.#inbound?.lastHeardAt ?? this.#since;
  }

  /** Settles when the socket has closed or was given up. */
  whenGone(): Promise<void> {
    if (this.#isGone) return Promise.resolve();
    return new Promise((resolve) => {
      this.#settleGone = resolve;
    });
  }

  /** Bytes that the kernel has not taken yet. */
  get pendingBytes(): number {
    return (this.#closing ? 0 : this.#stream.bytes) + this.#tcp.writableLength;
  }

  /** Sends what `turn` has for it, in order, and never waits. */
  deliver(turn: Turn, type: string, now: number): void {
    if (!this.isOpen) return;
    this.#lastType = type;
    try {
      const frames = this.#stream.deliver(turn, !this.#isFull, now);
      if (frames) this.#write(frames, now);
      else this.#pump(now);
    } catch (err) {
      this.#fail(err);
    }
  }

  /** Says `opening`, then what the stream has to say; what the one before it had to say comes first. */
  begin(stream: Stream, opening: readonly string[]): void {
    if (!this.isOpen) return;
    try {
      const now = this.#host.clock.monotonic();
      this.#cancelHold?.();
      this.#cancelHold = undefined;
      if (stream !== this.#stream) this.#writeAll(now);
      this.#stream = stream;
      if (opening.length > 0) this.#write(encodeTextFrames(opening), now);
      this.#pump(now);
    } catch (err) {
      this.#fail(err);
    }
  }

  /** Starts the close handshake, after what is queued; a client that does not finish it within a second is cut off. */
  close(code?: number, reason?: string): void {
    if (this.#closing) return;
    if (this.isOpen && code !== closeCodes.tooSlow.code && code !== internalError) this.#sayTheRest();
    this.#stop();
    this.#webSocket.close(code, reason);
    this.#cancelTermination = this.#host.clock.after(goodbyeMs, () => this.terminate());
  }

  terminate(): void {
    this.#webSocket.terminate();
    this.closed();
  }

  /** To be called when the socket has closed. */
  closed(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#stop();
    this.#cancelTermination?.();
    this.#settleGone?.();
    this.#host.left(this);
  }

  /** For the heartbeat. */
  give(need: Need): void {
    if (!this.isOpen) return;
    if (need === "message") this.#sendPing();
    else if (need === "ping") this.#webSocket.ping();
    else this.#endDead();
  }

  get #address(): string {
    return `${this.#tcp.remoteAddress}:${this.#tcp.remotePort}`;
  }

  /** The socket holds enough; it emits `drain` when it is empty again. */
  get #isFull(): boolean {
    return this.#tcp.writableLength >= this.#tcp.writableHighWaterMark;
  }

  #receive(message: { toString(): string }, isBinary: boolean): void {
    if (isBinary) {
      this.end(closeCodes.unsupportedData.code, "text messages only");
      return;
    }
    const now = this.#host.clock.monotonic();
    this.#inbound ??= new Inbound(now);
    const verdict = this.#inbound.judge(now);
    if (verdict === "flood") this.end(closeCodes.policyViolation.code, "too many messages");
    if (this.#closing || verdict === "ignored") return;
    // Legacy clients may say what they want; only the first word can mean that they are none.
    if (verdict === "first" || this.#stream.dialect === "v1") this.#host.heard(this, message.toString());
  }

  #failed(err: Error): void {
    const code = violationCode(err);
    // `ws` has sent the close frame already.
    if (code !== undefined) this.#note(code, err.message);
    else this.#host.log.debug({ address: this.#address, err }, "a client's connection failed");
    this.close();
  }

  #endDead(): void {
    this.#note(abnormalClosure, "answers no pings");
    this.terminate();
  }

  #sendPing(): void {
    const { dialect, last } = this.#stream;
    const frame = dialect === "v1" ? encodeTextFrames([JSON.stringify({ type: "ping", last })]) : legacyPing;
    this.#lastType = "ping";
    this.#write(frame, this.#host.clock.monotonic());
  }

  /** There is room again, or something was held back long enough. */
  #resume(): void {
    // The client may have begun to close: nothing may follow the answer to that.
    if (!this.isOpen) return;
    this.#host.flush();
    try {
      this.#pump(this.#host.clock.monotonic());
    } catch (err) {
      this.#fail(err);
    }
  }

  #pump(now: number): void {
    if (this.#stream.isTooSlow) {
      this.#giveUp();
      return;
    }
    while (this.isOpen && !this.#isFull) {
      const frames = this.#stream.next(now);
      if (!frames) break;
      this.#write(frames, now);
    }
    if (this.#isFull) {
      this.#hearDrain();
      return;
    }
    const { heldUntil } = this.#stream;
    if (heldUntil === undefined || this.#cancelHold) return;
    this.#cancelHold = this.#host.clock.after(heldUntil - now, () => {
      this.#cancelHold = undefined;
      this.#resume();
    });
  }

  #hearDrain(): void {
    if (this.#hearsDrain) return;
    this.#hearsDrain = true;
    this.#tcp.on("drain", () => this.#resume());
  }

  #write(frames: Buffer, now: number): void {
    this.#tcp.write(frames);
    this.heart.sent(now);
    this.#watch();
  }

  #watch(): void {
    if (this.#endStallWatch || this.#tcp.writableLength === 0) return;
    this.#endStallWatch = watchForStall(this.#host.clock, this.#tcp, {
      stalled: () => this.#giveUp(),
      free: () => {
        this.#endStallWatch = undefined;
      },
    });
  }

  /** All that waits, whether there is room or not: it is bounded. */
  #writeAll(now: number): void {
    for (;;) {
      this.#stream.release();
      const frames = this.#stream.next(now);
      if (!frames) return;
      this.#write(frames, now);
    }
  }

  #sayTheRest(): void {
    try {
      this.#writeAll(this.#host.clock.monotonic());
    } catch (err) {
      this.#host.log.error({ err }, "what a client was still to be told could not be sent");
    }
  }

  #giveUp(): void {
    this.#host.counters.closedSlow++;
    this.end(closeCodes.tooSlow.code, "too slow");
  }

  /** A fault of ours ends this connection, and only this one. */
  #fail(err: unknown): void {
    this.#host.log.error({ err, address: this.#address }, "a client could not be served");
    this.close(internalError);
  }

  /** Closes it because of how the client or the server stands, which somebody may want to know. */
  end(code: number, reason: string): void {
    if (this.#closing) return;
    this.#note(code, reason);
    this.close(code, reason);
  }

  #note(code: number, reason: string): void {
    this.#host.log.warn(
      { address: this.#address, bytes: this.pendingBytes, type: this.#lastType, code, reason },
      "closed a client",
    );
  }

  #stop(): void {
    this.#closing = true;
    this.#host.heartbeat.remove(this);
    this.#endStallWatch?.();
    this.#endStallWatch = undefined;
    this.#cancelHold?.();
    this.#cancelHold = undefined;
  }
}
