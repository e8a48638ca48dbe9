import type { DeviceStatus, LiveTask } from "@openscan/protocol";
import { jsonDelta } from "@openscan/protocol/json-delta";
import type { ClientClock } from "../clock.js";
import type { FakeWebSocket } from "./fake-web-socket.js";
import { legacyForm, snapshotOf } from "./rules.js";
import type { Published, ScannerStream } from "./scanner-stream.js";
import { passes, type Wishes } from "./stream-filter.js";

const HEARTBEAT_MS = 30_000;
/** After so many deltas comes a whole device again. */
const DELTAS = 100;

/** What a viewer needs to know of the scanner. */
export interface ViewedScanner {
  readonly clock: ClientClock;
  readonly device: DeviceStatus;
  readonly tasks: readonly LiveTask[];
  /** New with each start. */
  readonly instance: string;
}

/** The scanner's end of one connection: says in its dialect what is published. */
export class Viewer {
  readonly socket: FakeWebSocket;
  readonly stream: ScannerStream;
  readonly #scanner: ViewedScanner;
  #dialect: "legacy" | "v1" = "legacy";
  #wishes: Wishes = {};
  #last: number | null = null;
  #base: DeviceStatus | undefined;
  #deltas = 0;
  #cancelPing = () => {};

  constructor(socket: FakeWebSocket, stream: ScannerStream, scanner: ViewedScanner) {
    this.socket = socket;
    this.stream = stream;
    this.#scanner = scanner;
    this.#waitForSilence();
  }

  /** Begins the v1 dialect: `hello`, then what was missed or a snapshot. */
  greet(wishes: Wishes): void {
    const { clock, instance } = this.#scanner;
    const { namespace, epoch, seq, maxEvents } = this.stream;
    const missed = this.stream.missed(wishes);
    this.#dialect = "v1";
    this.#wishes = wishes;
    this.#say({
      type: "hello",
      protocol: 1,
      server: { name: "openscan-fake", version: "0.0.0", instance },
      namespace,
      epoch,
      seq,
      now: new Date(clock.now()).toISOString(),
      heartbeat_ms: HEARTBEAT_MS,
      resume: {
        max_events: maxEvents,
        max_age_ms: 24 * 3_600_000,
        recovered: wishes.since === undefined ? null : missed !== undefined,
      },
    });
    if (!missed) {
      this.#sendSnapshot();
      return;
    }
    this.#last = wishes.since ?? null;
    for (const event of missed) this.#send(event);
  }

  /** Text from the client: `subscribe` counts in the v1 dialect, or begins it. */
  hear(text: string): void {
    const message = parse(text);
    if (message?.["type"] !== "subscribe") return;
    const wishes = message as Wishes;
    if (this.#dialect === "legacy") {
      this.greet(wishes);
      return;
    }
    this.#wishes = wishes;
    this.#sendSnapshot();
  }

  tell(published: Published): void {
    if (this.#dialect === "legacy") {
      const message = legacyForm(published.event);
      if (message) this.#say(message);
    } else if (passes(published.event, this.#wishes)) {
      this.#send(published);
    }
  }

  leave(): void {
    this.#cancelPing();
  }

  #sendSnapshot(): void {
    const { clock, device } = this.#scanner;
    this.#rebase(device);
    const { seq, namespace } = this.stream;
    const snapshot = snapshotOf(namespace, this.#scanner, this.#wishes.ids);
    this.#last = seq;
    this.#say({ ...snapshot, seq, prev: null, ts: new Date(clock.now()).toISOString() });
  }

  #send({ event, seq, ts }: Published): void {
    const place = { seq, prev: this.#last, ts };
    this.#last = seq;
    if (event.type !== "device.status") {
      this.#say({ ...event, ...place });
      return;
    }
    const base = this.#base;
    if (!this.#wishes.delta || !base || this.#deltas === DELTAS) {
      this.#rebase(event.device);
      this.#say({ ...event, ...place });
      return;
    }
    this.#base = event.device;
    this.#deltas++;
    const { device, changed } = event;
    this.#say({ type: "device.delta", ...jsonDelta(base, device), changed, ...place });
  }

  #rebase(device: DeviceStatus): void {
    this.#base = device;
    this.#deltas = 0;
  }

  #say(message: object): void {
    this.socket.receive(JSON.stringify(message));
    this.#waitForSilence();
  }

  #waitForSilence(): void {
    this.#cancelPing();
    this.#cancelPing = this.#scanner.clock.after(HEARTBEAT_MS, () =>
      this.#say({ type: "ping", ...(this.#dialect === "v1" && { last: this.#last }) }),
    );
  }
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === "object" && message !== null ? (message as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
