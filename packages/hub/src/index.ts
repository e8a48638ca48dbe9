export { Hub, type HubOptions, type HubStats, type StreamPosition } from "./hub.js";
export type { HubSocket, HubTcpSocket, HubWebSocket } from "./hub-socket.js";
export type { HubLimits } from "./limits.js";
export type { Dialect } from "./message.js";
export type { Problem, StreamRequest } from "./stream-request.js";
export { type AttachOptions, attachHub, type Refusal } from "./ws-adapter.js";
