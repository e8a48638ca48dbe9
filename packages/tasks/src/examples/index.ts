export { exclusiveDemo } from "./exclusive-demo.js";
export { failing } from "./failing.js";
export { generator } from "./generator.js";
export { helloWorldAsync } from "./hello-world-async.js";
export { helloWorldBlocking } from "./hello-world-blocking.js";
