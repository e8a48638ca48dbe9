import type { Clock } from "@openscan/runtime";
import { decodeClose, encodeClose, encodeFrame, FrameReader, opcodes } from "./frames.js";
import type { TcpEnd } from "./tcp-end.js";

const closeTimeoutMs = 30_000;
const headEnd = "\r\n\r\n";
const mask = Buffer.from([0x12, 0x34, 0x56, 0x78]);

type Listener = (event: never) => void;
type State = "connecting" | "open" | "closing" | "closed";

export interface ClientSocketOptions {
  readonly clock: Clock;
  /** What a proxy in between makes of a message. */
  readonly proxy: (text: string) => readonly string[];
  /** Browsers drop what arrives after `close()`; the package `ws` does not. */
  readonly readsWhileClosing: boolean;
  readonly onMessage: (text: string) => void;
}

/** The client's end of a WebSocket; the SDK's `SocketLike`. */
export class ClientSocket {
  readonly url: string;
  protocol = "";
  readonly #options: ClientSocketOptions;
  readonly #listeners = new Map<string, Listener[]>();
  readonly #frames = new FrameReader();
  #tcp: TcpEnd | undefined;
  #head = "";
  #state: State = "connecting";
  #cancelClose = () => {};
  /** Whether the client was the one that ended it. */
  leftByClient = false;

  constructor(url: string, options: ClientSocketOptions) {
    this.url = url;
    this.#options = options;
  }

  get readyState(): number {
    return ["connecting", "open", "closing", "closed"].indexOf(this.#state);
  }

  /** The TCP connection exists; the answer to the upgrade will come over it. */
  connected(tcp: TcpEnd): void {
    if (this.#state === "connecting") this.#tcp = tcp;
    else tcp.destroy();
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  removeEventListener(type: string, listener: Listener): void {
    this.#listeners.set(
      type,
      (this.#listeners.get(type) ?? []).filter((other) => other !== listener),
    );
  }

  send(text: string): void {
    if (this.#state === "connecting") throw new Error("InvalidStateError: still connecting");
    if (this.#state === "open") this.#tcp?.write(encodeFrame(opcodes.text, text, mask));
  }

  close(code = 1005, reason = ""): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    this.leftByClient = true;
    if (this.#state === "connecting") {
      this.#drop();
      return;
    }
    this.#state = "closing";
    this.#tcp?.write(encodeFrame(opcodes.close, code === 1005 ? "" : encodeClose(code, reason), mask));
    this.#cancelClose = this.#options.clock.after(closeTimeoutMs, () => this.fail());
  }

  terminate(): void {
    this.leftByClient = true;
    if (this.#state !== "closed") this.#drop();
  }

  /** The connection could not be made, or is gone. */
  fail(): void {
    if (this.#state === "closed") return;
    this.#dispatch("error", {});
    this.#finish(1006, "");
  }

  /** Bytes from the server. */
  receive(bytes: Buffer): void {
    for (const { opcode, payload } of this.#frames.read(
      this.#state === "connecting" ? this.#open(bytes) : bytes,
    )) {
      if (this.#state === "closed") return;
      if (opcode === opcodes.close) this.#answerClose(payload);
      else if (opcode === opcodes.ping) this.#tcp?.write(encodeFrame(opcodes.pong, payload, mask));
      else if (opcode === opcodes.text)
        for (const text of this.#options.proxy(payload.toString())) this.#message(text);
    }
  }

  #drop(): void {
    this.#state = "closing";
    this.#tcp?.destroy();
    queueMicrotask(() => this.fail());
  }

  #open(bytes: Buffer): Buffer {
    this.#head += bytes.toString("latin1");
    const end = this.#head.indexOf(headEnd);
    if (end < 0) return Buffer.alloc(0);
    this.protocol = /^sec-websocket-protocol: (.*)$/im.exec(this.#head)?.[1]?.trim() ?? "";
    this.#state = "open";
    this.#dispatch("open", {});
    return Buffer.from(this.#head.slice(end + headEnd.length), "latin1");
  }

  #message(text: string): void {
    if (this.#state !== "open" && !this.#options.readsWhileClosing) return;
    this.#options.onMessage(text);
    this.#dispatch("message", { data: text });
  }

  #answerClose(payload: Buffer): void {
    const { code, reason } = decodeClose(payload);
    if (this.#state === "open") this.#tcp?.write(encodeFrame(opcodes.close, payload.subarray(0, 2), mask));
    this.#finish(code, reason);
  }

  #finish(code: number, reason: string): void {
    this.#state = "closed";
    this.#cancelClose();
    this.#tcp?.destroy();
    this.#dispatch("close", { code, reason });
  }

  #dispatch(type: string, event: unknown): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event as never);
  }
}
