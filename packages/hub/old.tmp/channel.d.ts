import type { Logger } from "@openscan/runtime";
import type { Connection } from "./connection.js";
/**
 * The subscribers of one namespace. The cost of an event is the system call per subscriber, so the frames of
 * one turn of the event loop are joined and written once per subscriber, from one shared buffer.
 */
export declare class Channel {
  #private;
  readonly connections: Set<Connection>;
  constructor(log: Logger);
  /** Serialises `event` as it is now, unless nobody listens. */
  publish(event: { readonly type: string }): void;
  /** Sends what was published in this turn so far. */
  flush(): void;
}
//# sourceMappingURL=channel.d.ts.map
