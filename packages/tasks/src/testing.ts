export { MemoryTaskStore } from "./memory-task-store.js";
export { historyProblem } from "./task-history.js";
