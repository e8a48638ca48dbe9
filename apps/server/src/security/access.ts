import type { IncomingMessage } from "node:http";
import { ScanError } from "@openscan/protocol";
import type { Clock, Logger } from "@openscan/runtime";
import { addressOf, credentialsOf } from "./credentials.js";
import { Failures } from "./failures.js";
import type { Refusal } from "./refusal.js";
import { Tickets } from "./tickets.js";
import { type Scope, type TokenOptions, Tokens } from "./tokens.js";

export interface AccessOptions extends TokenOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** The text of a new ticket; random unless given. */
  readonly newTicket?: () => string;
}

/** The words of a request that access depends on. */
export interface Asked {
  /** What it does: `listen` is an upgrade. */
  readonly intent: "read" | "change" | "listen" | "ticket";
  readonly offeredSubprotocols?: readonly string[];
}

type Request = Pick<IncomingMessage, "headers" | "url"> & {
  readonly socket: { readonly remoteAddress?: string | undefined };
};

const challenge = { "WWW-Authenticate": "Bearer" };

/** Who may do what, by token or ticket. Without a configured token everybody may do everything. */
export class Access {
  readonly #log: Logger;
  readonly #tokens: Tokens;
  readonly #tickets: Tickets;
  readonly #failures: Failures;

  constructor({ clock, log, newTicket, ...tokens }: AccessOptions) {
    this.#log = log;
    this.#tokens = new Tokens(tokens);
    this.#tickets = new Tickets(clock, newTicket);
    this.#failures = new Failures(clock);
  }

  /** The scopes that have a token. */
  get scopes(): readonly Scope[] {
    return this.#tokens.scopes;
  }

  refuse(request: Request, asked: Asked): Refusal | undefined {
    const scope = this.#scopeOf(request, asked);
    if (typeof scope === "object") return scope;
    if (scope === "control" || asked.intent !== "change") return undefined;
    return {
      code: "forbidden",
      detail: "the token may only view; changing something needs the control token",
    };
  }

  /** A ticket with the scope of the request's token. */
  newTicket(request: Request): string {
    const scope = this.#scopeOf(request, { intent: "ticket" });
    if (typeof scope === "object") throw new ScanError(scope.code, scope.detail);
    return this.#tickets.create(scope);
  }

  #scopeOf(request: Request, { intent, offeredSubprotocols = [] }: Asked): Scope | Refusal {
    if (this.scopes.length === 0) return "control";
    const credentials = credentialsOf(request, offeredSubprotocols);
    if (credentials && "token" in credentials)
      return this.#scopeOfToken(credentials.token, addressOf(request));
    const takesTicket = intent === "read" || intent === "listen";
    if (credentials === undefined || !takesTicket)
      return {
        code: "unauthorized",
        detail: "a token is needed; send it as Authorization: Bearer, never in the URL",
        headers: challenge,
      };
    // Nobody can guess a ticket, and an image of a foreign page could send wrong ones in its visitor's name: they
    // are not counted.
    const scope = this.#tickets.use(credentials.ticket);
    if (scope === undefined)
      return {
        code: "unauthorized",
        detail: "the ticket is wrong, used or too old",
        headers: challenge,
      };
    return intent === "read" ? "view" : scope;
  }

  #scopeOfToken(token: string, address: string): Scope | Refusal {
    const seconds = Math.ceil(this.#failures.waitMs(address) / 1000);
    if (seconds > 0)
      return {
        code: "too_many",
        detail: `too many wrong tokens from ${address}; try again in ${seconds} s`,
        headers: { "Retry-After": `${seconds}` },
      };
    const scope = this.#tokens.scopeOf(token);
    if (scope !== undefined) return scope;
    this.#failures.count(address);
    this.#log.warn({ address }, "refused a wrong token");
    return { code: "unauthorized", detail: "the token is wrong", headers: challenge };
  }
}
