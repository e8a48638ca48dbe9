import type { Clock } from "@openscan/runtime";
import { ClientSocket } from "./client-socket.js";
import { Link } from "./link.js";

export interface Request {
  readonly url: URL;
  readonly protocols: readonly string[];
}

export interface NetworkOptions {
  readonly clock: Clock;
  readonly latencyMs: number;
  /** Bytes that the kernels hold per connection and direction. */
  readonly capacity: number;
  readonly readsWhileClosing: boolean;
  /** A browser's socket cannot be terminated. */
  readonly hasTerminate: boolean;
  /** An upgrade reaches the server, which may open the link or leave it. */
  readonly accept: (request: Request, link: Link) => void;
  /** What becomes of a request on its way. */
  readonly onRequest: (request: Request) => Request;
  readonly onLink: (link: Link, request: Request) => LinkWatcher;
}

export interface LinkWatcher {
  /** The server sent it. */
  sent(text: string): void;
  /** What a proxy in between makes of it. */
  proxy(text: string): readonly string[];
  /** The client was given it. */
  received(text: string): void;
}

/** The way from one client to the server. */
export class Network {
  /** `silent`: nobody answers, as with a server that is switched off. */
  state: "up" | "refusing" | "silent" = "up";
  readonly links: Link[] = [];
  readonly #options: NetworkOptions;
  #port = 40_000;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** For the client: `new` makes a connection through this network. */
  get WebSocket(): new (
    url: string,
    protocols?: string | readonly string[],
  ) => ClientSocket {
    const connect = (url: string, protocols: readonly string[]) => this.#connect(url, protocols);
    return function open(url: string, protocols: string | readonly string[] = []) {
      return connect(url, typeof protocols === "string" ? [protocols] : protocols);
    } as unknown as new (
      url: string,
    ) => ClientSocket;
  }

  /** The connections that are not over. */
  get open(): readonly Link[] {
    return this.links.filter((link) => !link.over);
  }

  #connect(address: string, protocols: readonly string[]): ClientSocket {
    const { clock, latencyMs, capacity, hasTerminate, readsWhileClosing } = this.#options;
    const request = this.#options.onRequest({ url: new URL(address), protocols });
    let watcher: LinkWatcher | undefined;
    const client = new ClientSocket(address, {
      clock,
      readsWhileClosing,
      proxy: (text) => watcher?.proxy(text) ?? [],
      onMessage: (text) => watcher?.received(text),
    });
    if (!hasTerminate) Object.defineProperty(client, "terminate", { value: undefined });
    clock.after(latencyMs, () => {
      if (this.state === "silent" || client.readyState !== 0) return;
      const link = new Link({
        clock,
        client,
        latencyMs,
        capacity,
        port: this.#port++,
        onSent: (text) => watcher?.sent(text),
      });
      if (this.state === "up") {
        this.links.push(link);
        watcher = this.#options.onLink(link, request);
        this.#options.accept(request, link);
      }
      if (!link.opened) clock.after(latencyMs, () => client.fail());
    });
    return client;
  }
}
