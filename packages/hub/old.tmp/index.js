export { Hub } from "./hub.js";
export { attachHub } from "./ws-adapter.js";
//# sourceMappingURL=index.js.map
