import type { ClientClock } from "./clock.js";
import { OPEN_TIMEOUT_MS } from "./connection.js";

/** Where the token comes from: asked before every attempt and request. */
export type TokenSource = () => string | undefined | Promise<string | undefined>;
/** One that answers or fails within 8 s. */
export type TimelyToken = () => Promise<string | undefined>;

/** `source` with an end to waiting: neither a connection nor a request may wait for a token for ever. */
export function timelyToken(source: TokenSource, clock: ClientClock): TimelyToken {
  return () =>
    new Promise((resolve, reject) => {
      const cancel = clock.after(OPEN_TIMEOUT_MS, () => reject(new Error("no token")));
      Promise.resolve().then(source).then(resolve, reject).finally(cancel);
    });
}
