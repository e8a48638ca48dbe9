import { decodeClose, encodeClose, encodeFrame, FrameReader, opcodes } from "./frames.js";
import type { TcpEnd } from "./tcp-end.js";

type Listener = (...args: never[]) => void;

/** The server's end of a WebSocket, as the package `ws` behaves. */
export class ServerSocket {
  readonly OPEN = 1;
  readyState = 1;
  readonly #tcp: TcpEnd;
  readonly #reader = new FrameReader();
  readonly #listeners = new Map<string, Listener[]>();

  constructor(tcp: TcpEnd) {
    this.#tcp = tcp;
    tcp.on("close", () => this.#closed(1006, ""));
  }

  on(event: "message", listener: (bytes: Buffer, isBinary: boolean) => void): this;
  on(event: "close", listener: (code: number, reason: Buffer) => void): this;
  on(event: "ping" | "pong", listener: () => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  on(event: string, listener: Listener): this {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
    return this;
  }

  ping(): void {
    if (this.readyState === this.OPEN) this.#tcp.write(encodeFrame(opcodes.ping));
  }

  close(code = 1005, reason = ""): void {
    if (this.readyState !== this.OPEN) return;
    this.readyState = 2;
    this.#tcp.write(encodeFrame(opcodes.close, code === 1005 ? "" : encodeClose(code, reason)));
  }

  terminate(): void {
    if (this.readyState === 3) return;
    this.readyState = 2;
    this.#tcp.destroy();
  }

  /** Bytes from the client. */
  receive(bytes: Buffer): void {
    for (const { opcode, payload } of this.#reader.read(bytes)) {
      if (this.readyState === 3) return;
      if (opcode === opcodes.close) this.#answerClose(payload);
      else if (opcode === opcodes.pong) this.#emit("pong", payload);
      else if (opcode === opcodes.ping) {
        this.#tcp.write(encodeFrame(opcodes.pong, payload));
        this.#emit("ping", payload);
      } else this.#emit("message", payload, opcode === opcodes.binary);
    }
  }

  #answerClose(payload: Buffer): void {
    const { code, reason } = decodeClose(payload);
    this.close(code);
    this.#tcp.end(() => this.#closed(code, reason));
  }

  #closed(code: number, reason: string): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.#tcp.destroy();
    this.#emit("close", code, Buffer.from(reason));
  }

  #emit(event: string, ...args: unknown[]): void {
    for (const listener of this.#listeners.get(event) ?? []) listener.apply(this, args as never[]);
  }
}
