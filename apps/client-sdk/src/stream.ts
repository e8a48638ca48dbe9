import { backOff, ReconnectDelay } from "./back-off.js";
import { type ClientClock, sleep } from "./clock.js";
import { ConnectionError } from "./connection-error.js";
import { EventBuffer } from "./event-buffer.js";
import type { Feed, Invalid, Schema } from "./feed.js";
import { type Listener, Listeners } from "./listeners.js";
import { openSocket } from "./open-socket.js";
import { onPageWake } from "./page.js";
import { readMessage } from "./read-message.js";
import type { Rest } from "./rest.js";
import type { SocketConstructor } from "./web-socket.js";

/** Events that may wait for one reading loop before they are merged. */
const READER_LIMIT = 256;

/**
 * - `offline`: no connection; nobody subscribes, or the next attempt is due later
 * - `connecting`: a connection is being made, or its snapshot fetched
 * - `live`: everything delivered so far is current
 * - `closed`: for good, by `close()` or because the server refused finally
 */
export type StreamState = "offline" | "connecting" | "live" | "closed";

export interface StreamOptions<Event extends { type: string }, Resync extends { type: "resync" }> {
  readonly feed: Feed<Event, Resync>;
  readonly schema: Schema<Event> | undefined;
  readonly url: string;
  readonly rest: Rest;
  readonly webSocket: () => Promise<SocketConstructor>;
  readonly clock: ClientClock;
  readonly random: () => number;
  /** How long the connection outlives its last subscriber. */
  readonly lingerMs: number;
  readonly report: (error: unknown) => void;
}

/**
 * The events of one namespace. However many subscribe, there is one connection: made for the first, kept up
 * for ever, closed some time after the last. Each time it is made, `resync` with the whole state comes first.
 */
export class Stream<Event extends { type: string }, Resync extends { type: "resync" }>
  implements AsyncIterable<Event | Resync | Invalid>
{
  readonly #options: StreamOptions<Event, Resync>;
  readonly #listeners: Listeners<Event | Resync | Invalid>;
  readonly #stateListeners: Listeners<StreamState>;
  readonly #readers = new Set<EventBuffer<Event | Resync | Invalid>>();
  readonly #delay: ReconnectDelay;
  #state: StreamState = "offline";
  #snapshot: Resync | undefined;
  #error: Error | undefined;
  #subscribers = 0;
  #connecting: AbortController | undefined;
  #cancelLinger = () => {};

  constructor(options: StreamOptions<Event, Resync>) {
    this.#options = options;
    this.#listeners = new Listeners(options.report);
    this.#stateListeners = new Listeners(options.report);
    this.#delay = new ReconnectDelay(options.random);
  }

  get state(): StreamState {
    return this.#state;
  }

  /** The state that all events so far add up to; `undefined` before the first snapshot. */
  get snapshot(): Resync | undefined {
    return this.#snapshot;
  }

  /** Calls `listener` with every change of `state`; the returned function undoes it. */
  onState(listener: Listener<StreamState>): () => void {
    return this.#stateListeners.add(listener);
  }

  /**
   * Calls `listener` with every event, never before this returns. It first gets `resync`, at once when the
   * stream is live. The returned function, or `signal`, undoes it.
   *
   * @throws what closed the stream, when it is closed
   */
  subscribe(
    listener: Listener<Event | Resync | Invalid>,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): () => void {
    this.#throwIfClosed();
    if (signal?.aborted) return () => {};
    let remove: (() => void) | undefined;
    let undone = false;
    const undo = () => {
      if (undone) return;
      undone = true;
      signal?.removeEventListener("abort", undo);
      remove?.();
      this.#left();
    };
    signal?.addEventListener("abort", undo, { once: true });
    this.#joined();
    queueMicrotask(() => {
      if (undone || this.#state === "closed") return;
      remove = this.#listeners.add(listener);
      if (this.#state === "live" && this.#snapshot) this.#listeners.call(listener, this.#snapshot);
    });
    return undo;
  }

  /** `subscribe` for one type of event, e.g. `on("task.update", ({ task }) => …)`. */
  on<Type extends (Event | Resync | Invalid)["type"]>(
    type: Type,
    listener: Listener<Extract<Event | Resync | Invalid, { type: Type }>>,
    options?: { readonly signal?: AbortSignal },
  ): () => void {
    return this.subscribe((event) => {
      if (event.type === type) return listener(event as Extract<typeof event, { type: Type }>);
    }, options);
  }

  /**
   * The events as a loop reads them: `for await (const event of stream.events())`. It ends with `signal` or
   * `close()` and throws when the server refuses finally. For a loop that is slow, events are merged once 256
   * wait: of the device the latest state with everything that changed, of a task its progress but never a
   * change of its status. The loop throws when that is not enough.
   */
  events({
    signal,
  }: {
    readonly signal?: AbortSignal;
  } = {}): AsyncIterableIterator<Event | Resync | Invalid, undefined> {
    const stop = () => reader.end();
    const reader = new EventBuffer<Event | Resync | Invalid>({
      limit: READER_LIMIT,
      compact: (items) => this.#options.feed.compact(items),
      onEnd: () => {
        signal?.removeEventListener("abort", stop);
        this.#readers.delete(reader);
        undo();
      },
    });
    const undo = this.subscribe((event) => reader.push(event));
    this.#readers.add(reader);
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted) stop();
    return reader;
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Event | Resync | Invalid, undefined> {
    return this.events();
  }

  /** Closes the connection for good and ends all loops. */
  close(): void {
    this.#finish(undefined);
  }

  #throwIfClosed(): void {
    if (this.#state === "closed") throw this.#error ?? new Error(`${this.#options.url} was closed`);
  }

  #joined(): void {
    this.#subscribers++;
    this.#cancelLinger();
    if (this.#connecting) return;
    this.#connecting = new AbortController();
    void this.#stayConnected(this.#connecting.signal);
  }

  #left(): void {
    if (--this.#subscribers > 0 || this.#state === "closed") return;
    this.#cancelLinger = this.#options.clock.after(this.#options.lingerMs, () => {
      this.#disconnect();
      this.#become("offline");
    });
  }

  #disconnect(): void {
    this.#cancelLinger();
    this.#connecting?.abort();
    this.#connecting = undefined;
  }

  #finish(error: Error | undefined): void {
    if (this.#state === "closed") return;
    this.#error = error;
    this.#disconnect();
    this.#become("closed");
    for (const reader of this.#readers) reader.end(error);
    this.#listeners.clear();
    this.#stateListeners.clear();
  }

  #become(state: StreamState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#stateListeners.deliver(state);
  }

  async #stayConnected(signal: AbortSignal): Promise<void> {
    const { clock, report } = this.#options;
    while (!signal.aborted) {
      this.#become("connecting");
      let liveAt: number | undefined;
      try {
        await this.#connect(signal, () => {
          liveAt = clock.now();
        });
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof ConnectionError && error.final) {
          report(error);
          this.#finish(error);
          return;
        }
        const delay = this.#delay.after(error, liveAt === undefined ? undefined : clock.now() - liveAt);
        this.#become("offline");
        await this.#pause(delay, signal);
      }
    }
  }

  /** One connection, from opening it until it is lost, which always throws. */
  async #connect(signal: AbortSignal, live: () => void): Promise<void> {
    const { feed, schema, url, clock, webSocket } = this.#options;
    const WebSocket = await webSocket();
    signal.throwIfAborted();
    const socket = openSocket<Event | Invalid>({
      url,
      WebSocket,
      clock,
      signal,
      read(data, reply) {
        const message = readMessage(data, feed, schema);
        if (message?.type !== "ping") return message as Event | Invalid | undefined;
        reply('{"type":"pong"}');
        return undefined;
      },
      compact: (items) => feed.compact(items) as (Event | Invalid)[],
    });
    await socket.opened;
    // What arrives from here on waits in the socket's buffer: a reply that was computed before an event can
    // then never overwrite it, and one computed after it is put right by the events that follow.
    const snapshot = await this.#resync(socket.lost);
    this.#snapshot = snapshot;
    this.#listeners.deliver(snapshot);
    if (signal.aborted) return;
    live();
    this.#become("live");
    for await (const message of socket.messages) {
      if (signal.aborted) return;
      this.#accept(message);
    }
  }

  #accept(message: Event | Invalid): void {
    if (message.type !== "invalid" && this.#snapshot) {
      const state = this.#options.feed.fold(this.#snapshot, message as Event);
      if (!state) return;
      this.#snapshot = state;
    }
    this.#listeners.deliver(message);
  }

  /** Asks until it is answered or the connection is lost. */
  async #resync(lost: AbortSignal): Promise<Resync> {
    const { feed, rest, clock, random, report } = this.#options;
    for (let failures = 0; ; failures++) {
      try {
        const snapshot = await feed.resync(rest, lost);
        lost.throwIfAborted();
        return snapshot;
      } catch (error) {
        lost.throwIfAborted();
        report(error);
      }
      await sleep(clock, backOff(failures, random), lost);
    }
  }

  /** Waits for the next attempt; a page that wakes up does not wait any longer. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = () => {
        cancelTimer();
        stopWatchingPage();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const stopWatchingPage = onPageWake(done);
      const cancelTimer = this.#options.clock.after(ms, done);
      signal.addEventListener("abort", done, { once: true });
      if (signal.aborted) done();
    });
  }
}
