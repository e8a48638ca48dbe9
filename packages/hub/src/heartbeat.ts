import type { Clock } from "@openscan/runtime";

const controlPingMs = 20_000;
const silentTicksAllowed = 3;

/** Silence after which a client that listens only to data gets a sign of life. */
export const idleMs = 30_000;

interface Beats {
  ping(): void;
  idle(): void;
  dead(): void;
}

/**
 * Tells when one connection needs a control ping (every 20 s), a data message (30 s without one), or to be
 * given up: at the third tick in a row before which no pong came. WebSocket stacks answer pings by
 * themselves, so any other inbound traffic proves nothing.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #on: Beats;
  #silentTicks = 0;
  #lastPong: number;
  #lastSent: number;
  #nextTick: number;
  #cancel = () => {};

  constructor(clock: Clock, on: Beats) {
    const now = clock.monotonic();
    this.#clock = clock;
    this.#on = on;
    this.#lastPong = now;
    this.#lastSent = now;
    this.#nextTick = now + controlPingMs;
    this.#wait(now);
  }

  /** Monotonic ms of the last pong, or of the start. */
  get lastPong(): number {
    return this.#lastPong;
  }

  /** A data frame went out. It only notes the time: moving a timer for every event would cost more. */
  sent(now: number): void {
    this.#lastSent = now;
  }

  ponged(): void {
    this.#silentTicks = 0;
    this.#lastPong = this.#clock.monotonic();
  }

  stop(): void {
    this.#cancel();
  }

  #wait(now: number): void {
    const due = Math.min(this.#nextTick, this.#lastSent + idleMs);
    this.#cancel = this.#clock.after(due - now, () => this.#beat());
  }

  #beat(): void {
    const now = this.#clock.monotonic();
    const isIdle = now >= this.#lastSent + idleMs;
    const isTick = now >= this.#nextTick;
    if (isIdle) this.#lastSent = now;
    if (isTick) this.#nextTick = now + controlPingMs;
    // Before the callbacks, which may stop it.
    this.#wait(now);
    if (isIdle) this.#on.idle();
    if (!isTick) return;
    if (++this.#silentTicks >= silentTicksAllowed) this.#on.dead();
    else this.#on.ping();
  }
}
