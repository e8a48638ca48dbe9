import { isDeepStrictEqual } from "node:util";
import type { DeviceDelta, DeviceStatus, Hello, LiveTask, StreamOptions } from "@openscan/protocol";
import { applyPointers } from "./apply-pointers.js";
import { passes } from "./filter.js";
import { stateKey } from "./events.js";
import type { Name, Published, Scanner } from "./scanner.js";

type Message = { readonly type: string; readonly [member: string]: unknown };
interface Enveloped extends Message {
  readonly seq: number;
  readonly prev: number | null;
  readonly ts: string;
}

export interface WireCheckOptions {
  readonly namespace: Name;
  readonly asked: StreamOptions;
  readonly scanner: Scanner;
  readonly now: () => number;
  /** Whether the connection always took everything at once: only then times mean something. */
  readonly unhindered: () => boolean;
  readonly complain: (problem: string) => void;
}

/** Everything that the server writes to one connection, judged by the specification at the moment of the write. */
export class WireCheck {
  readonly #options: WireCheckOptions;
  #hello: Hello | undefined;
  /** seq of the last event; undefined until the chain has begun. */
  #last: number | undefined;
  #sentAny = false;
  /** seq up to which `changed` has been told. */
  #toldChangesUpTo = 0;
  #device: DeviceStatus | undefined;
  /** When the last state event of a key was written. */
  #lastSentAt = new Map<string, number>();
  /** When the last event was written. */
  #lastAt = Number.NEGATIVE_INFINITY;
  /** A state event that came early: right only when a newer one follows in the same instant. */
  #early: { readonly at: number; readonly text: string } | undefined;

  constructor(options: WireCheckOptions) {
    this.#options = options;
  }

  /** The seq that a ping has to tell. */
  sent(text: string): void {
    const message = JSON.parse(text) as Message;
    const complain = (problem: string) => this.#options.complain(`${problem}: ${text.slice(0, 300)}`);
    if (message.type === "hello") this.#acceptHello(message as unknown as Hello, complain);
    else if (!this.#hello) complain("something before hello");
    else if (message.type === "ping") this.#acceptPing(message, complain);
    else if (typeof message["seq"] === "number") this.#acceptEvent(message as Enveloped, text, complain);
    else complain("neither hello, ping nor event");
  }

  /** To be called when time has passed. */
  settled(): void {
    if (this.#early && this.#early.at < this.#options.now() && this.#options.unhindered())
      this.#options.complain(`state before its min_interval: ${this.#early.text.slice(0, 300)}`);
  }

  #acceptHello(hello: Hello, complain: (problem: string) => void): void {
    const { scanner, namespace, asked } = this.#options;
    if (this.#hello) complain("a second hello");
    this.#hello = hello;
    const newest = scanner.position(namespace);
    if (hello.epoch !== newest.epoch || hello.seq !== newest.seq)
      complain(`hello is not at ${JSON.stringify(newest)}`);
    const { recovered } = hello.resume;
    const possible = asked.since !== undefined && asked.epoch === hello.epoch && asked.since <= hello.seq;
    if ((recovered === null) !== (asked.since === undefined)) complain("recovered does not answer since");
    if (recovered && !possible) complain("recovered what cannot be");
    if (!recovered) return;
    this.#last = asked.since;
    this.#toldChangesUpTo = asked.since ?? 0;
  }

  #acceptPing(ping: Message, complain: (problem: string) => void): void {
    const expected = this.#sentAny ? this.#last : null;
    // After a recovered resume without a missed event nothing was sent here: null and `since` are both true.
    if (ping["last"] !== expected && ping["last"] !== (this.#last ?? null))
      complain(`ping tells another last than ${expected}`);
  }

  #acceptEvent(message: Enveloped, text: string, complain: (problem: string) => void): void {
    const { namespace, scanner } = this.#options;
    const { seq, prev } = message;
    const epoch = this.#hello?.epoch as string;
    const isSnapshot = message["snapshot"] === true;
    if (seq > scanner.position(namespace).seq) complain("an event of the future");
    // Not even of a snapshot: the loss of one that says nothing new could not be noticed.
    if (this.#last !== undefined && this.#sentAny && seq <= this.#last)
      complain(`seq does not grow after ${this.#last}`);
    if (prev !== (this.#last ?? null)) complain(`prev is not ${this.#last}`);
    if (isSnapshot) this.#acceptSnapshot(message, epoch, complain);
    else if (this.#last === undefined) complain("an event before the snapshot");
    else this.#acceptChange(message, text, epoch, this.#last, complain);
    this.#last = seq;
    this.#sentAny = true;
  }

  #acceptSnapshot(message: Enveloped, epoch: string, complain: (problem: string) => void): void {
    const { namespace, scanner, asked } = this.#options;
    if (this.#last !== undefined) this.#demandFacts(epoch, this.#last, message.seq + 1, complain);
    const state = scanner.stateAt(namespace, epoch, message.seq);
    const expected =
      namespace === "tasks"
        ? (state as readonly LiveTask[]).filter(({ id }) => !asked.ids || asked.ids.includes(id))
        : state;
    const told = namespace === "tasks" ? message["tasks"] : message["device"];
    if (!isDeepStrictEqual(told, expected)) complain(`the snapshot is not the state at ${message.seq}`);
    this.#device = message["device"] as DeviceStatus | undefined;
    this.#toldChangesUpTo = message.seq;
    this.#lastSentAt.clear();
    this.#early = undefined;
  }

  #acceptChange(
    message: Enveloped,
    text: string,
    epoch: string,
    last: number,
    complain: (problem: string) => void,
  ): void {
    const { namespace, scanner, asked } = this.#options;
    this.#demandFacts(epoch, last, message.seq, complain);
    const published = scanner.find(namespace, epoch, message.seq);
    if (!published) return complain("an event that was never published");
    const isDevice = message.type === "device.status" || message.type === "device.delta";
    // A status of the device may stand for earlier ones that pass.
    if (!isDevice && !passes(asked, published.event)) complain("an event that the filter leaves out");
    if (isDevice) this.#acceptDevice(message, epoch, complain);
    else {
      const { seq: _, prev: __, ts: ___, ...event } = message;
      if (!isDeepStrictEqual(event, published.event)) complain("an event that was published otherwise");
    }
    if (Date.parse(message.ts) !== published.at) complain("the time is not that of the change");
    this.#watchInterval(published, text);
  }

  /** All facts between two events have to be sent before the second. */
  #demandFacts(epoch: string, after: number, before: number, complain: (problem: string) => void): void {
    const { namespace, scanner, asked } = this.#options;
    for (let seq = after + 1; seq < before; seq++) {
      const between = scanner.find(namespace, epoch, seq);
      if (between?.fact && passes(asked, between.event)) complain(`the fact ${seq} was left out`);
    }
  }

  #acceptDevice(message: Enveloped, epoch: string, complain: (problem: string) => void): void {
    const { namespace, scanner, asked } = this.#options;
    const state = scanner.stateAt(namespace, epoch, message.seq);
    if (message.type === "device.status") this.#device = message["device"] as DeviceStatus;
    else if (!asked.delta) complain("a delta that nobody asked for");
    else if (!this.#device) complain("a delta before any full status");
    else this.#device = applyPointers(this.#device, message as unknown as DeviceDelta);
    if (!isDeepStrictEqual(this.#device, state))
      complain(`it leads to something else than the state at ${message.seq}`);
    const changed = new Set<string>();
    let anything = false;
    for (let seq = this.#toldChangesUpTo + 1; seq <= message.seq; seq++) {
      const event = scanner.find(namespace, epoch, seq)?.event;
      if (event?.type !== "device.status" || !passes(asked, event)) continue;
      if (event.changed === null) anything = true;
      else for (const path of event.changed) changed.add(path);
    }
    if (!anything && changed.size === 0) complain("a status that the filter leaves out");
    const told = message["changed"] as readonly string[] | null;
    if (anything !== (told === null) || (told && !isDeepStrictEqual(new Set(told), changed)))
      complain(`changed is not ${anything ? null : [...changed].join()}`);
    this.#toldChangesUpTo = message.seq;
  }

  #watchInterval({ event, seq }: Published, text: string): void {
    const { asked, now } = this.#options;
    const at = now();
    // What is sent without delay takes along what waits: before it, to keep the order, and after it.
    const isAlongside = this.#lastAt === at;
    this.#lastAt = at;
    if (this.#early?.at === at) this.#early = undefined;
    else this.settled();
    const key = stateKey(event);
    // What a resume replays comes at once.
    if (key === undefined || !asked.min_interval || seq <= (this.#hello?.seq ?? 0)) return;
    const before = this.#lastSentAt.get(key);
    this.#lastSentAt.set(key, at);
    if (before !== undefined && at - before < asked.min_interval && !isAlongside) this.#early = { at, text };
  }
}
