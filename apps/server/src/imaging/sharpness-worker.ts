import { parentPort } from "node:worker_threads";
import { type Picture, laplacianVariance } from "./sharpness.js";

/** One picture at a time; its sharpness is the answer. */
parentPort?.on("message", (picture: Picture) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(laplacianVariance(picture));
});
