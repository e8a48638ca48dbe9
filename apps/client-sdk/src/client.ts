import { type ScannerApi, createApi } from "./api.js";
import { type ClientClock, systemClock, systemRandom } from "./clock.js";
import { type DeviceEvent, deviceFeed, type DeviceResync } from "./device-feed.js";
import type { Feed, Schema } from "./feed.js";
import { type Fetch, Rest } from "./rest.js";
import { Stream, type StreamState } from "./stream.js";
import { type TaskEvent, tasksFeed, type TasksResync } from "./tasks-feed.js";
import { findWebSocket, type SocketConstructor } from "./web-socket.js";

export interface ScannerClientOptions {
  /** Where the API is, e.g. `http://openscan.local:8000`, or `http://openscan.local/api` behind its web page. */
  readonly url: string;
  /** Mount of the API: `latest` (the default), `next`, `v0.9` … */
  readonly version?: string;
  /** Needed where the runtime has none and the package `ws` is not installed (Node 20). */
  readonly WebSocket?: SocketConstructor;
  readonly fetch?: Fetch;
  /** Checks every message of the sockets with these schemas, e.g. `namespaces.tasks.event` of `@openscan/protocol`. */
  readonly validate?: { readonly tasks?: Schema<TaskEvent>; readonly device?: Schema<DeviceEvent> };
  /** Called with every change of a stream's state. */
  readonly onState?: (state: StreamState, namespace: "tasks" | "device") => void;
  /** Errors that no caller can be given: of listeners, of a snapshot's request (it is repeated), final ones. */
  readonly onError?: (error: unknown) => void;
  /** How long a connection outlives its last subscriber; 2 s unless told. */
  readonly lingerMs?: number;
  /** For tests. */
  readonly clock?: ClientClock;
  /** For tests: numbers from 0 to below 1. */
  readonly random?: () => number;
}

export interface ScannerClient {
  readonly tasks: Stream<TaskEvent, TasksResync>;
  readonly device: Stream<DeviceEvent, DeviceResync>;
  readonly rest: Rest;
  readonly api: ScannerApi;
  /** Closes all connections for good. Ends all loops; a later subscription throws. */
  close(): void;
}

/**
 * Connects to a scanner, as soon as somebody subscribes.
 *
 * @throws TypeError when `url` is no http(s) URL
 */
export function createScannerClient(options: ScannerClientOptions): ScannerClient {
  const { clock = systemClock, random = systemRandom, lingerMs = 2000, validate = {} } = options;
  const base = mount(options.url, options.version ?? "latest");
  const fetch: Fetch = options.fetch ?? ((url, init) => globalThis.fetch(url, init));
  const rest = new Rest(base, fetch, clock);
  // oxlint-disable-next-line no-console -- somebody should hear of it who did not ask
  const onError = options.onError ?? ((error: unknown) => console.error(error));

  const stream = <Event extends { type: string }, Resync extends { type: "resync" }>(
    feed: Feed<Event, Resync>,
    schema: Schema<Event> | undefined,
  ) => {
    const opened = new Stream<Event, Resync>({
      feed,
      schema,
      url: `${base.replace(/^http/, "ws")}/ws/${feed.name}`,
      rest,
      webSocket: async () => options.WebSocket ?? (await findWebSocket()),
      clock,
      random,
      lingerMs,
      // An error handler that throws itself must not break the stream it is told about.
      report: (error) => queueMicrotask(() => onError(error)),
    });
    if (options.onState) {
      const { onState } = options;
      opened.onState((state) => onState(state, feed.name));
    }
    return opened;
  };

  const tasks = stream(tasksFeed, validate.tasks);
  const device = stream(deviceFeed, validate.device);
  return {
    tasks,
    device,
    rest,
    api: createApi(rest),
    close() {
      tasks.close();
      device.close();
    },
  };
}

function mount(text: string, version: string): string {
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol))
    throw new TypeError(`the scanner's URL must be http or https: ${text}`);
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}/${version}`;
}
