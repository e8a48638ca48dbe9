import { isDeepStrictEqual } from "node:util";
import { deviceStatus } from "../device-status.mjs";
import { dialects } from "./dialects.mjs";
import { WebSocketReader } from "./web-socket.mjs";

/** The bytes of so many events are remembered once they were found right. */
const remembered = 4096;
/** With more clients than this, one local address has not ports enough. */
const clientsPerAddress = 5000;
const now = () => Number(process.hrtime.bigint()) / 1e6;

/**
 * The subscribers of one server. Content, order and continuity of every delivery are checked: those of an event's
 * first delivery by parsing it, those of the others by comparing their bytes with the first one's.
 */
export class Audience {
  #dialect;
  #onGot;
  #onFailed;
  /** Events of the current run that each client has got. */
  #counts = new Uint32Array();
  /** `seq` of what each client got last. */
  #lastSeqs = [];
  /** Of the current run, by event and client. */
  #arrivals = new Float64Array();
  #right = [];
  #step = 0;
  /** Clients that have the next multiple of `step`. */
  #reached = 0;
  #told = 0;

  /**
   * @param {object} options
   * @param {(events: number) => void} options.onGot all clients have got so many events of the current run
   * @param {(reason: string) => void} options.onFailed a client was closed or got something else than it should
   */
  constructor({ dialect, onGot, onFailed }) {
    this.#dialect = dialects[dialect];
    this.#onGot = onGot;
    this.#onFailed = onFailed;
  }

  /**
   * Connects more of them, between two runs.
   *
   * @param {number} clients those that read
   * @param {number} stalled those that read nothing once they are connected
   */
  async open(port, clients, stalled) {
    for (let opened = 0; opened < clients; opened += 100) {
      const group = Array.from({ length: Math.min(100, clients - opened) }, () => this.#openClient(port));
      await Promise.all(group);
    }
    for (let opened = 0; opened < stalled; opened++) await this.#openStalled(port);
  }

  /** Begins a run; tells of every `step` events. */
  expect(events, step) {
    this.#counts = new Uint32Array(this.#lastSeqs.length);
    this.#arrivals = new Float64Array(events * this.#counts.length);
    this.#right = [];
    this.#step = step;
    this.#reached = 0;
    this.#told = 0;
  }

  /** Events of the current run that the client which is furthest behind has got. */
  get fewest() {
    return this.#counts.reduce((a, b) => Math.min(a, b));
  }

  /** ms between `sentAt` of an event and each of its arrivals. */
  latencies(sentAt) {
    const { length } = this.#counts;
    return this.#arrivals
      .map((arrivedAt, index) => (arrivedAt === 0 ? NaN : arrivedAt - sentAt[Math.floor(index / length)]))
      .filter((latency) => !Number.isNaN(latency));
  }

  #openStalled(port) {
    return this.#openReader(port, {}, (text, reader) => {
      const { start, reply } = this.#dialect.read(text.toString());
      if (reply !== undefined) reader.send(reply);
      return start !== undefined;
    }).then((reader) => reader.stall());
  }

  #openClient(port) {
    const client = this.#lastSeqs.push(0) - 1;
    const localAddress = `127.0.0.${1 + Math.floor(client / clientsPerAddress)}`;
    return this.#openReader(port, { localAddress }, (text, reader) => this.#deliver(client, text, reader));
  }

  /** @param onText tells whether the stream has started */
  #openReader(port, options, onText) {
    return new Promise((resolve, reject) => {
      const reader = new WebSocketReader({
        ...options,
        port,
        path: this.#dialect.path,
        onText: (text) => {
          try {
            if (onText(text, reader)) resolve(reader);
          } catch ({ message }) {
            this.#onFailed(message);
          }
        },
        onClose: (reason) => this.#onFailed(reason),
      });
      reader.opened.then(() => this.#dialect.greeting || resolve(reader), reject);
    });
  }

  /** @returns whether this was the start of a stream */
  #deliver(client, text, reader) {
    const index = this.#counts[client];
    let right = this.#right[index % remembered];
    const isRight = right !== undefined && right.index === index && right.bytes.equals(text);
    if (!isRight) {
      const { event, start, seq, prev, reply } = this.#dialect.read(text.toString());
      if (reply !== undefined) reader.send(reply);
      if (start !== undefined) this.#lastSeqs[client] = start;
      if (event === undefined) return start !== undefined;
      if (!isDeepStrictEqual(event, deviceStatus(index)))
        throw new Error(`got something else than event ${index}`);
      right = { index, seq, prev, bytes: Buffer.from(text) };
      this.#right[index % remembered] = right;
    }
    const { seq, prev } = right;
    if (prev !== this.#lastSeqs[client])
      throw new Error(`event ${index} follows ${prev}, not ${this.#lastSeqs[client]}`);
    this.#lastSeqs[client] = seq;
    this.#arrivals[index * this.#counts.length + client] = now();
    this.#counts[client] = index + 1;
    if (index + 1 === this.#told + this.#step) this.#advance();
    return false;
  }

  #advance() {
    if (++this.#reached < this.#counts.length) return;
    this.#told += Math.floor((this.fewest - this.#told) / this.#step) * this.#step;
    this.#reached = this.#counts.filter((got) => got >= this.#told + this.#step).length;
    this.#onGot(this.#told);
  }
}
