export { type Clock, sleepWith, systemClock, timestamp } from "./clock.js";
export { Emitter } from "./emitter.js";
export { type Logger, silentLogger } from "./logger.js";
export { workerUrl } from "./worker-url.js";
