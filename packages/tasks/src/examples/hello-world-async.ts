import { z } from "zod";
import { parameters } from "../parameters.js";
import { defineTask } from "../task-type.js";

/**
 * Counts silently to `total_steps`, `delay` seconds each; it can be paused and cancelled between two of them. It touches
 * no hardware: a scan need not wait for it.
 */
export const helloWorldAsync = defineTask({
  type: "hello_world_async_task",
  concurrency: "concurrent",
  lane: "network",
  input: parameters(
    z.strictObject({
      total_steps: z.number().int().min(0).default(5),
      delay: z.number().min(0).max(86_400).default(0.1),
    }),
  ),
  async run({ total_steps, delay }, { clock, signal, checkpoint }) {
    for (let step = 0; step < total_steps; step++) {
      await checkpoint();
      await clock.sleep(delay * 1000, signal);
    }
    return `Hello world after ${total_steps} steps!`;
  },
});
