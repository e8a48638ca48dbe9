import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
/**
 * Gives a request that offers another protocol (some HTTP clients offer `h2c` with every request) back to the
 * HTTP server without the offer, which is how RFC 9110, section 7.8, declines one. Node would do so by itself
 * if nobody listened to `upgrade`.
 */
export declare function declineUpgrade(
  server: Server,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void;
//# sourceMappingURL=decline-upgrade.d.ts.map
