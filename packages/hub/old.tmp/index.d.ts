export type { HubSocket } from "./connection.js";
export { Hub, type HubLimits, type HubOptions, type HubStats } from "./hub.js";
export { type AttachOptions, attachHub } from "./ws-adapter.js";
//# sourceMappingURL=index.d.ts.map
