const controlPingMs = 20_000;
const silentTicksAllowed = 3;
/** Silence after which a client that listens only to data gets a sign of life. */
const idleMs = 30_000;
/**
 * Tells when one connection needs a control ping (every 20 s), a data message (30 s without one), or to be
 * given up: at the third tick in a row before which no pong came. WebSocket stacks answer pings by
 * themselves, so any other inbound traffic proves nothing.
 */
export class Heartbeat {
  #clock;
  #silentTicks = 0;
  #lastSent;
  #cancelTick;
  #cancelIdle;
  constructor(clock, on) {
    this.#clock = clock;
    this.#lastSent = clock.monotonic();
    const tick = () => {
      if (++this.#silentTicks >= silentTicksAllowed) {
        on.dead();
        return;
      }
      this.#cancelTick = clock.after(controlPingMs, tick);
      on.ping();
    };
    // Sending only notes the time: moving a timer for every event would cost more than this late look.
    const look = () => {
      const rest = this.#lastSent + idleMs - clock.monotonic();
      this.#cancelIdle = clock.after(rest > 0 ? rest : idleMs, look);
      if (rest <= 0) on.idle();
    };
    this.#cancelTick = clock.after(controlPingMs, tick);
    this.#cancelIdle = clock.after(idleMs, look);
  }
  /** A data frame went out. */
  sent() {
    this.#lastSent = this.#clock.monotonic();
  }
  ponged() {
    this.#silentTicks = 0;
  }
  stop() {
    this.#cancelTick();
    this.#cancelIdle();
  }
}
//# sourceMappingURL=heartbeat.js.map
