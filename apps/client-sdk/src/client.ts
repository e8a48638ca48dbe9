import { systemClock, systemRandom } from "./clock.js";
import { deviceFeed } from "./device-feed.js";
import type { Feed } from "./feed.js";
import { LiveStore } from "./live-store.js";
import type { Dialect } from "./sync.js";
import { type Fetch, type Method, type RequestOptions, Rest } from "./rest.js";
import type { DeviceOptions, ScannerClient, ScannerClientOptions, TaskOptions } from "./scanner-client.js";
import { queryText } from "./query.js";
import { timelyToken } from "./token.js";
import { tasksFeed } from "./tasks-feed.js";

/**
 * Connects to a scanner, as soon as somebody subscribes.
 *
 * @throws TypeError when `url` is no http(s) URL
 */
export function createScannerClient(options: ScannerClientOptions): ScannerClient {
  const { clock = systemClock, random = systemRandom, lingerMs = 2000 } = options;
  const base = mount(options.url, options.version ?? "latest");
  const fetch: Fetch = options.fetch ?? ((...request) => globalThis.fetch(...request));
  const token = options.token && timelyToken(options.token, clock);
  const rest = new Rest(base, fetch, clock, token);
  const server: { dialect?: Dialect } = {};
  // oxlint-disable-next-line no-console -- somebody should hear of it who did not ask
  const onError = options.onError ?? console.error;
  // A handler that throws itself must not break the stream it is told about.
  const report = (error: unknown) => queueMicrotask(() => onError(error));

  const store = <State, Event extends object>(
    feed: Feed<State, Event>,
    { types, ids, paths, minIntervalMs, delta }: TaskOptions & DeviceOptions,
  ) => {
    const query = { v: 1, types, ids, paths, min_interval: minIntervalMs, delta: delta ? 1 : undefined };
    return new LiveStore({
      ...options,
      feed,
      url: `${base.replace(/^http/, "ws")}/ws/${feed.name}?${queryText(query)}`,
      filtered: Boolean(types ?? ids ?? paths ?? minIntervalMs),
      rest,
      token,
      server,
      clock,
      random,
      lingerMs,
      report,
    });
  };

  const tasks = store(tasksFeed, { ...options.tasks });
  const device = store(deviceFeed, { delta: true, ...options.device });
  return {
    tasks,
    device,
    rest,
    request(operation, ...[input]) {
      const { params, ...others } = (input ?? {}) as CallInput;
      const [method, path] = target(operation, params);
      return rest.request(method, path, others);
    },
    url(operation, ...[input]) {
      const { params, query } = (input ?? {}) as CallInput;
      return rest.url(target(operation, params)[1], query);
    },
    close() {
      tasks.close();
      device.close();
    },
  };
}

type PathParams = Readonly<Record<string, string | number | boolean>>;

/** What `Input` of any operation is at run time. */
interface CallInput extends RequestOptions {
  readonly params?: PathParams;
}

/** Method and path of an operation, e.g. of `GET /tasks/{task_id}`. */
function target(operation: string, params: PathParams = {}): [Method, string] {
  return operation
    .replace(/{(\w+)}/g, (_, name: string) => encodeURIComponent(String(params[name])))
    .split(" ") as [Method, string];
}

function mount(text: string, version: string): string {
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol))
    throw new TypeError(`the scanner's URL must be http or https: ${text}`);
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}/${version}`;
}
