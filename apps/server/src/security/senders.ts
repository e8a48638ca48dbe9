import type { IncomingMessage } from "node:http";
import type { Logger } from "@openscan/runtime";
import { hostOfOrigin, parseHost } from "./host-name.js";
import { isLocalHost } from "./local-host.js";
import { quoted, type Refusal } from "./refusal.js";

/** A stranger must not be able to fill the log. */
const maxTold = 100;

export interface SenderRules {
  readonly log: Logger;
  /** Further host names and addresses, as {@link parseHost} spells them. */
  readonly allowHosts: readonly string[];
  /** Further origins, as browsers spell them; `null` stands for pages without one. */
  readonly allowOrigins: readonly string[];
  readonly ownNames: { has(host: string): boolean };
}

/** What of a request the rules look at. */
export type Sent = Pick<IncomingMessage, "headers" | "headersDistinct" | "url"> & {
  readonly socket: { readonly localAddress?: string | undefined };
};

/**
 * Which pages and names may talk to us. A browser tells by `Host` under which name it found us and by `Origin` whose
 * page is asking; neither can be forged by a page. What sends no `Origin` is no page.
 */
export class Senders {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  readonly #ownNames: { has(host: string): boolean };
  readonly #log: Logger;
  readonly #told = new Set<string>();

  constructor({ log, allowHosts, allowOrigins, ownNames }: SenderRules) {
    this.#log = log;
    this.#hosts = new Set(allowHosts);
    this.#origins = new Set(allowOrigins);
    this.#ownNames = ownNames;
  }

  /** Against DNS rebinding: a stranger's name that leads to our address is still not our name. */
  refuseHost(request: Sent): Refusal | undefined {
    const hosts = request.headersDistinct["host"] ?? [];
    if (hosts.length > 1) return { code: "bad_request", detail: "a request has one Host header" };
    // Only HTTP/1.0 may come without, and no browser speaks that. A proxy's form of the target names the host again.
    const named = [...hosts, ...(/^[a-z][a-z\d+.-]*:\/\/([^/?#]*)/i.exec(request.url ?? "")?.slice(1) ?? [])];
    const foreign = named.find((authority) => !this.#isOurs(parseHost(authority), request));
    if (foreign === undefined) return undefined;
    return this.#forbidden(
      `${quoted(foreign)} is not a host name of this scanner; --allow-host NAME (OPENSCAN_ALLOW_HOST) allows one`,
    );
  }

  /**
   * Against pages that use their visitor's browser to reach us. A page that we, or another port of our host, served
   * has our host name, which {@link refuseHost} has found to be ours.
   */
  refuseOrigin(request: Sent): Refusal | undefined {
    const { origin } = request.headers;
    if (origin === undefined || this.#origins.has(origin.toLowerCase())) return undefined;
    if (this.#isOurs(hostOfOrigin(origin), request)) return undefined;
    return this.#forbidden(
      `pages of ${quoted(origin)} may not use this scanner; --allow-origin ORIGIN (OPENSCAN_ALLOW_ORIGIN) allows them`,
    );
  }

  #forbidden(detail: string): Refusal {
    if (!this.#told.has(detail) && this.#told.size < maxTold) {
      this.#told.add(detail);
      this.#log.warn({ detail }, "refused a request");
    }
    return { code: "forbidden", detail };
  }

  #isOurs(host: string | undefined, { socket }: Sent): boolean {
    if (host === undefined) return false;
    const reachedAt = socket.localAddress?.replace(/^::ffff:(?=\d+\.)/, "");
    return isLocalHost(host) || host === reachedAt || this.#hosts.has(host) || this.#ownNames.has(host);
  }
}
