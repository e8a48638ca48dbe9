import type { DeviceStatus, NamespaceName, Task } from "@openscan/protocol";
import type { ClientClock } from "./clock.js";
import type { DeviceEvent } from "./device-feed.js";
import type { Message } from "./feed.js";
import type { Arguments, Operation, Reply } from "./operations.js";
import type { Fetch, Rest } from "./rest.js";
import type { Store } from "./store.js";
import type { TaskEvent } from "./tasks-feed.js";
import type { SocketConstructor } from "./web-socket.js";

/** What to leave out of a stream. A legacy server sends everything all the same. */
interface Filter {
  /** Only events of these types. */
  readonly types?: readonly string[];
  /** At most one state event of a task, or of the device, in this time. Facts are never delayed. */
  readonly minIntervalMs?: number;
}
export interface TaskOptions extends Filter {
  /** Only these tasks. */
  readonly ids?: readonly string[];
}
export interface DeviceOptions extends Filter {
  /** Only changes at or below these paths, e.g. `motors.*`. */
  readonly paths?: readonly string[];
  /** Let the server send only what changed: on unless told. Events carry the whole device either way. */
  readonly delta?: boolean;
}

/** E.g. by the schemas of `@openscan/protocol`. Messages of a server of the legacy dialect have no `seq`. */
export type Validate = (message: Message, namespace: NamespaceName) => void;

export interface ScannerClientOptions {
  /** Where the API is, e.g. `http://openscan.local:8000`, or `http://openscan.local/api` behind its web page. */
  readonly url: string;
  /** Mount of the API: `latest` (the default), `next`, `v0.9` … */
  readonly version?: string;
  /** Asked before every attempt to connect and every request. */
  readonly token?: () => string | undefined | Promise<string | undefined>;
  readonly tasks?: TaskOptions;
  readonly device?: DeviceOptions;
  /** Needed where the runtime has none and the package `ws` is not installed (Node 20). */
  readonly WebSocket?: SocketConstructor;
  readonly fetch?: Fetch;
  /** Called with every event and snapshot before it is used. One for which it throws is reported and left out. */
  readonly validate?: Validate;
  /** Told what no caller can be: gaps, lost connections, messages of no use, listeners that throw, final refusals. */
  readonly onError?: (error: unknown) => void;
  /** How long a connection outlives its last subscriber; 2 s unless told. */
  readonly lingerMs?: number;
  /** For tests. */
  readonly clock?: ClientClock;
  /** For tests: numbers from 0 to below 1. */
  readonly random?: () => number;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** For the whole request, the reply's body included; 10 s unless told. */
  readonly timeoutMs?: number;
}

export interface ScannerClient {
  readonly tasks: Store<readonly Task[], TaskEvent>;
  /** `null` while the scanner has no configuration. */
  readonly device: Store<DeviceStatus | null, DeviceEvent>;

  /**
   * One operation of the REST API, typed by its definition in `@openscan/protocol`:
   * `request("PATCH /motors/{motor_name}/angle", { params: { motor_name: "rotor" }, body: { degrees: 15 } })`.
   *
   * @throws RequestError for every status but 2xx (with it), when nothing answers, or on a time-out (0);
   *   `signal.reason` when that is aborted
   */
  request<Op extends Operation>(operation: Op, ...input: Arguments<Op, CallOptions>): Promise<Reply<Op>>;

  /** Where a GET operation is, e.g. for an image element. */
  url<Op extends Operation & `GET ${string}`>(operation: Op, ...input: Arguments<Op, unknown>): string;

  /** Requests that no definition describes. */
  readonly rest: Rest;

  /** Closes all connections for good. Ends all loops; a later subscription throws. */
  close(): void;
}
