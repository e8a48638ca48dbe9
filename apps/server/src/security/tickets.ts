import { randomBytes } from "node:crypto";
import type { Clock } from "@openscan/runtime";
import { digest, type Scope } from "./tokens.js";

export const ticketLifeMs = 10_000;
const maxTickets = 1000;

interface Ticket {
  readonly scope: Scope;
  readonly expiresAt: number;
}

/**
 * Tickets stand in for a token where none can be sent: in the URL of an image or a WebSocket of a browser. A URL may
 * be logged or kept on its way, so that each is good for one use, and only for a moment.
 */
export class Tickets {
  readonly #clock: Clock;
  readonly #newTicket: () => string;
  /** By digest, in the order of their ends. */
  readonly #open = new Map<string, Ticket>();

  constructor(clock: Clock, newTicket: () => string = () => randomBytes(32).toString("base64url")) {
    this.#clock = clock;
    this.#newTicket = newTicket;
  }

  /** Open tickets, expired ones included. */
  get size(): number {
    return this.#open.size;
  }

  create(scope: Scope): string {
    const now = this.#clock.monotonic();
    for (const [key, { expiresAt }] of this.#open) {
      if (expiresAt > now && this.#open.size < maxTickets) break;
      this.#open.delete(key);
    }
    const ticket = this.#newTicket();
    this.#open.set(keyOf(ticket), { scope, expiresAt: now + ticketLifeMs });
    return ticket;
  }

  /** The scope of a ticket's creator, once. */
  use(ticket: string): Scope | undefined {
    const key = keyOf(ticket);
    const found = this.#open.get(key);
    this.#open.delete(key);
    return found && found.expiresAt > this.#clock.monotonic() ? found.scope : undefined;
  }
}

const keyOf = (ticket: string) => digest(ticket).toString("base64");
