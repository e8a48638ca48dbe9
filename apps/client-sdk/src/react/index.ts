export { useDevice, useTasks } from "./use-scanner.js";
export { useStore } from "./use-store.js";
export { useStreamEvent } from "./use-stream-event.js";
