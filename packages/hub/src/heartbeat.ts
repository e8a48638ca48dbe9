import type { Clock } from "@openscan/runtime";

const controlPingMs = 20_000;
const silentTicksAllowed = 3;
/** Connections that are due within this time share a look, which bounds what many of them cost. */
const lookEveryMs = 100;

/** Silence after which a client that listens only to data gets a sign of life. */
export const idleMs = 30_000;

/** What a heart can need. */
export type Need = "ping" | "message" | "end";

/**
 * When one connection needs a control ping (every 20 s), a data message (30 s without one), or to be given up:
 * at the third tick in a row before which no pong came. WebSocket stacks answer pings by themselves, so any
 * other inbound traffic proves nothing.
 */
export class Heart {
  #silentTicks = 0;
  // Whole milliseconds: V8 keeps others in boxes of their own.
  #lastPong: number;
  #lastSent: number;
  #nextTick: number;

  constructor(now: number) {
    this.#lastPong = Math.round(now);
    this.#lastSent = this.#lastPong;
    this.#nextTick = this.#lastPong + controlPingMs;
  }

  /** Monotonic ms of the last pong, or of the start. */
  get lastPong(): number {
    return this.#lastPong;
  }

  /** When it is to be asked again. */
  get due(): number {
    return Math.min(this.#nextTick, this.#lastSent + idleMs);
  }

  /** A data frame went out. */
  sent(now: number): void {
    this.#lastSent = Math.round(now);
  }

  ponged(now: number): void {
    this.#silentTicks = 0;
    this.#lastPong = Math.round(now);
  }

  needs(now: number): Need[] {
    const needs: Need[] = [];
    if (now >= this.#lastSent + idleMs) {
      this.sent(now);
      needs.push("message");
    }
    if (now >= this.#nextTick) {
      this.#nextTick = Math.round(now + controlPingMs);
      needs.push(++this.#silentTicks >= silentTicksAllowed ? "end" : "ping");
    }
    return needs;
  }
}

interface Living {
  readonly heart: Heart;
  give(need: Need): void;
}

/** Keeps all connections alive with one timer: thousands of them would weigh more than the connections. */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #living = new Set<Living>();
  #cancel: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(living: Living): void {
    this.#living.add(living);
    // Those that are there already are due before the newcomer.
    if (!this.#cancel) this.#lookAt(living.heart.due);
  }

  remove(living: Living): void {
    this.#living.delete(living);
    if (this.#living.size > 0) return;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #lookAt(due: number): void {
    const now = this.#clock.monotonic();
    this.#cancel = this.#clock.after(due - now, () => {
      this.#cancel = undefined;
      this.#look();
    });
  }

  #look(): void {
    const now = this.#clock.monotonic();
    for (const living of this.#living) {
      if (now >= living.heart.due) for (const need of living.heart.needs(now)) living.give(need);
    }
    let next = Number.POSITIVE_INFINITY;
    for (const { heart } of this.#living) next = Math.min(next, heart.due);
    if (!this.#cancel && this.#living.size > 0) this.#lookAt(Math.max(next, now + lookEveryMs));
  }
}
