export { createScannerClient } from "./client.js";
export type { ClientClock } from "./clock.js";
export { ConnectionError } from "./connection-error.js";
export type { DeviceEvent } from "./device-feed.js";
export type { TokenSource } from "./token.js";
export type { Listener } from "./listeners.js";
export type { Arguments, Input, Operation, Reply } from "./operations.js";
export { RequestError } from "./request-error.js";
export type { Fetch, Method, RequestOptions, Rest } from "./rest.js";
export type {
  CallOptions,
  DeviceOptions,
  ScannerClient,
  ScannerClientOptions,
  TaskOptions,
  Validate,
} from "./scanner-client.js";
export type { Freshness, Resync, Store, View } from "./store.js";
export type { TaskEvent } from "./tasks-feed.js";
export type { SocketConstructor, SocketLike } from "./web-socket.js";
