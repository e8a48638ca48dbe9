export { compose, type Environment, type ScannerServer } from "./compose.js";
export { type Config, type Invocation, readConfig } from "./config.js";
