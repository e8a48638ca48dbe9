import type { ClientClock } from "./clock.js";
import type { ConnectionError } from "./connection-error.js";
import { EventBuffer } from "./event-buffer.js";
import { compact, type Feed } from "./feed.js";
import { Link } from "./link.js";
import { type Listener, Listeners } from "./listeners.js";
import type { Rest } from "./rest.js";
import type { Freshness, Resync, Store, TypeOf, View } from "./store.js";
import { type Dialect, Sync } from "./sync.js";
import type { Validate } from "./scanner-client.js";
import type { TimelyToken } from "./token.js";
import type { SocketConstructor } from "./web-socket.js";

/** Events that may wait for one reading loop before they are merged. */
const READER_LIMIT = 256;
const TICK_MS = 1000;

export interface LiveStoreOptions<State, Event> {
  readonly feed: Feed<State, Event>;
  /** Of the stream, with the options of the query that do not change. */
  readonly url: string;
  readonly filtered: boolean;
  readonly validate?: Validate;
  readonly rest: Rest;
  /** Shared by the stores of a client: what the server spoke last. */
  readonly server: { dialect?: Dialect };
  readonly token: TimelyToken | undefined;
  readonly WebSocket?: SocketConstructor;
  readonly clock: ClientClock;
  readonly random: () => number;
  readonly lingerMs: number;
  readonly report: (error: unknown) => void;
}

/** The store of one namespace: a `Link` keeps the connection, `Sync` makes state and events of its messages. */
export class LiveStore<State, Event extends object> implements Store<State, Event> {
  readonly #options: LiveStoreOptions<State, Event>;
  readonly #link: Link;
  readonly #sync: Sync<State, Event>;
  readonly #watchers: Listeners<void>;
  readonly #listeners: Listeners<Event | Resync<State>>;
  readonly #readers = new Set<EventBuffer<Event | Resync<State>>>();
  #view: View<State> = { state: undefined, freshness: { status: "offline" } };
  #told = this.#view;
  /** When the state was last known to be right. */
  #rightAt = 0;
  #holders = 0;
  #closed: Error | undefined;
  #cancelLinger = () => {};
  #cancelTick = () => {};

  constructor(options: LiveStoreOptions<State, Event>) {
    this.#options = options;
    this.#watchers = new Listeners(options.report);
    this.#listeners = new Listeners(options.report);
    this.#sync = new Sync({
      ...options,
      onEvent: (state, event) => this.#advance(state, event),
      onSettled: () => this.#settle(),
    });
    this.#link = new Link({
      ...options,
      url: () => this.#sync.url(),
      onOpen: (connection) => {
        this.#become("resyncing");
        this.#sync.opened(connection);
        this.#tell();
      },
      onMessage: (data) => this.#sync.read(data),
      onQuiet: () => {
        if (this.#sync.live) this.#become("stale");
        this.#tell();
      },
      onLost: (error) => this.#lost(error),
    });
  }

  get(): View<State> {
    return this.#view;
  }

  subscribe(onChange: () => void): () => void {
    return this.#hold(this.#watchers.add(onChange));
  }

  on<Type extends TypeOf<Event | Resync<State>>>(
    type: Type,
    listener: Listener<Extract<Event | Resync<State>, { readonly type: Type }>>,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): () => void {
    const hear: Listener<Event | Resync<State>> = (event) => {
      if ((event as { type?: unknown }).type === type)
        return listener(event as Parameters<typeof listener>[0]);
    };
    return this.#hold(this.#listeners.add(hear), signal);
  }

  events({ signal }: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<Event | Resync<State>> {
    let release = () => {};
    const reader = new EventBuffer<Event | Resync<State>>({
      limit: READER_LIMIT,
      compact: (items) => compact(items, this.#options.feed),
      onEnd: () => release(),
    });
    // Whoever joins a stream begins with its state.
    if (this.#sync.started) reader.push({ type: "resync", state: this.#view.state as State, lost: false });
    this.#readers.add(reader);
    release = this.#hold(() => {
      this.#readers.delete(reader);
      reader.end();
    }, signal);
    if (this.#closed) reader.end(this.#closed);
    return reader;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Event | Resync<State>> {
    return this.events();
  }

  close(): void {
    this.#finish(new Error(`${this.#options.url} was closed`));
  }

  /** Keeps the connection until the returned function, which also calls `remove`, is called. */
  #hold(remove: () => void, signal?: AbortSignal): () => void {
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      signal?.removeEventListener("abort", release);
      remove();
      this.#left();
    };
    this.#holders++;
    this.#cancelLinger();
    if (this.#closed) this.#options.report(this.#closed);
    else if (signal?.aborted) release();
    else {
      signal?.addEventListener("abort", release, { once: true });
      this.#link.start();
      // Ageing stops while nobody looks.
      if (this.#holders === 1 && this.#view.freshness.status === "stale") this.#become("stale");
    }
    return release;
  }

  #left(): void {
    if (--this.#holders > 0 || this.#closed) return;
    this.#cancelLinger = this.#options.clock.after(this.#options.lingerMs, () => {
      this.#disconnect();
      this.#tell();
    });
  }

  #disconnect(): void {
    this.#cancelLinger();
    this.#link.stop();
    this.#sync.reset();
    this.#become("offline");
  }

  #finish(closed: Error, refused?: Error): void {
    if (this.#closed) return;
    this.#closed = closed;
    this.#disconnect();
    this.#tell();
    for (const reader of this.#readers) reader.end(refused);
  }

  #advance(state: State, event: Event | Resync<State>): void {
    this.#become(this.#sync.live ? "live" : "resyncing", state);
    this.#listeners.deliver(event);
    for (const reader of this.#readers) reader.push(event);
  }

  #settle(): void {
    if (this.#sync.live) {
      this.#rightAt = this.#options.clock.now();
      this.#link.proven();
      this.#become("live");
    } else if (this.#view.freshness.status === "live") this.#become("resyncing");
    this.#tell();
  }

  #lost(error: ConnectionError): void {
    const wasLive = this.#sync.live;
    // That connections come and go is what freshness tells.
    if (error.gap || error.final || error.cause) this.#options.report(error);
    this.#sync.ended();
    this.#become(wasLive ? "stale" : "offline");
    if (error.final) this.#finish(error, error);
    else this.#tell();
  }

  #become(status: Freshness["status"], state = this.#view.state): void {
    const { clock } = this.#options;
    this.#cancelTick();
    if (status === "stale") {
      const ageMs = Math.max(0, clock.now() - this.#rightAt);
      this.#view = { state, freshness: { status, ageMs } };
      this.#cancelTick = clock.after(TICK_MS, () => {
        if (!this.#holders) return;
        this.#become("stale");
        this.#tell();
      });
    } else if (status !== this.#view.freshness.status || state !== this.#view.state) {
      this.#view = { state, freshness: { status } };
    }
  }

  /** Calls the watchers once for all that changed since the last time. */
  #tell(): void {
    if (this.#told === this.#view) return;
    this.#told = this.#view;
    this.#watchers.deliver();
  }
}
