import type { Clock } from "@openscan/runtime";
import { ClientSocket } from "./client-socket.js";
import { FrameReader, opcodes } from "./frames.js";
import { type Pace, Pipe } from "./pipe.js";
import { ServerSocket } from "./server-socket.js";
import { TcpEnd } from "./tcp-end.js";

export type Direction = "down" | "up";
/** Who learns of a connection that breaks; the others have to find out. */
export type Witness = "both" | "client" | "server" | "nobody";

export interface LinkOptions {
  readonly clock: Clock;
  readonly client: ClientSocket;
  readonly latencyMs: number;
  readonly capacity: number;
  readonly port: number;
  /** A message as the server sends it. */
  readonly onSent: (text: string) => void;
}

/** One TCP connection with a WebSocket at each end; bytes take their time, and whatever befalls them is decided here. */
export class Link {
  readonly client: ClientSocket;
  readonly server: ServerSocket;
  readonly tcp: TcpEnd;
  readonly #down: Pipe;
  readonly #up: Pipe;
  readonly #clientTcp: TcpEnd;
  #opened = false;
  #broken = false;
  #witness: Witness = "both";

  constructor({ clock, client, latencyMs, capacity, port, onSent }: LinkOptions) {
    this.client = client;
    const pipe = (deliver: (bytes: Buffer) => void) =>
      new Pipe({ clock, latencyMs, capacity, deliver, onCut: () => this.#breakNow() });
    this.#down = pipe((bytes) => client.receive(bytes));
    this.#up = pipe((bytes) => this.server.receive(bytes));
    this.tcp = new WatchedTcpEnd(this.#down, onSent, port, () => client.fail());
    this.server = new ServerSocket(this.tcp);
    this.#clientTcp = new TcpEnd(this.#up, "10.0.0.1", 80, () => this.tcp.destroy());
  }

  /** The server answers the upgrade; what it sends next may arrive in the same read. */
  open(protocol: string | undefined): void {
    this.#opened = true;
    const echo = protocol === undefined ? "" : `Sec-WebSocket-Protocol: ${protocol}\r\n`;
    this.#down.offer(Buffer.from(`HTTP/1.1 101 Switching Protocols\r\n${echo}\r\n`));
    this.client.connected(this.#clientTcp);
  }

  get opened(): boolean {
    return this.#opened;
  }

  /** Neither end can use it any more. */
  get over(): boolean {
    return this.#broken || (this.client.readyState === 3 && this.server.readyState === 3);
  }

  /** Whether it ever let less pass than there was. */
  get everHeldUp(): boolean {
    return this.#down.everHeldUp || this.#up.everHeldUp;
  }

  pace(direction: Direction, pace: Pace): void {
    this.#pipe(direction).pace = pace;
  }

  /** What is not broken yet stays whole. */
  heal(): void {
    this.#down.heal();
    this.#up.heal();
  }

  /** Breaks when `bytes` more have passed in a direction. */
  cutAfter(direction: Direction, bytes: number, witness: Witness): void {
    this.#witness = witness;
    this.#pipe(direction).cutAfter(bytes);
  }

  /** Breaks at once: what is under way is lost. */
  cut(witness: Witness): void {
    this.#witness = witness;
    this.#breakNow();
  }

  #breakNow(): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#down.stop();
    this.#up.stop();
    const witness = this.#witness;
    if (witness === "both" || witness === "server") this.tcp.destroy();
    if (witness === "both" || witness === "client") this.client.fail();
  }

  #pipe(direction: Direction): Pipe {
    return direction === "down" ? this.#down : this.#up;
  }
}

/** Tells of each text frame at the moment of its write. */
class WatchedTcpEnd extends TcpEnd {
  readonly #reader = new FrameReader();
  readonly #onSent: (text: string) => void;

  constructor(out: Pipe, onSent: (text: string) => void, port: number, onEnd: () => void) {
    super(out, "10.0.0.2", port, onEnd);
    this.#onSent = onSent;
  }

  override write(bytes: Buffer): boolean {
    for (const { opcode, payload } of this.#reader.read(bytes))
      if (opcode === opcodes.text) this.#onSent(payload.toString());
    if (this.#reader.pending > 0) throw new Error("a write that is not made of whole frames");
    return super.write(bytes);
  }
}
