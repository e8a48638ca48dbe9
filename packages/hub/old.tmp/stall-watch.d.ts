import type { Socket } from "node:net";
import type { Clock } from "@openscan/runtime";
/**
 * Reports a TCP socket of whose pending bytes the kernel took none for 10 s. It samples once a second, and
 * only while bytes are pending. Progress shows when a write completes, not within one.
 */
export declare class StallWatch {
  #private;
  constructor(clock: Clock, tcp: Socket, stalled: () => void);
  /** To be called after every write. */
  wrote(): void;
  stop(): void;
}
//# sourceMappingURL=stall-watch.d.ts.map
