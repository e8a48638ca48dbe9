import type { Clock } from "@openscan/runtime";
/**
 * Tells when one connection needs a control ping (every 20 s), a data message (30 s without one), or to be
 * given up: at the third tick in a row before which no pong came. WebSocket stacks answer pings by
 * themselves, so any other inbound traffic proves nothing.
 */
export declare class Heartbeat {
  #private;
  constructor(
    clock: Clock,
    on: {
      ping(): void;
      idle(): void;
      dead(): void;
    },
  );
  /** A data frame went out. */
  sent(): void;
  ponged(): void;
  stop(): void;
}
//# sourceMappingURL=heartbeat.d.ts.map
