import { z } from "zod";
import { parameters } from "../parameters.js";
import { defineTask } from "../task-type.js";

/** Reports the step from which it starts, then each of `total_steps` steps, `interval` seconds apart. */
export const generator = defineTask({
  type: "generator_task",
  concurrency: "concurrent",
  input: parameters(
    z.strictObject({
      total_steps: z.number().int().min(0).default(10),
      interval: z.number().min(0).default(0.5),
    }),
  ),
  async *run({ total_steps: total, interval }, { clock, signal, progress }) {
    const start = Math.trunc(progress.current);
    yield { current: start, total, message: `Starting at step ${start} of ${total}.` };
    for (let current = start + 1; current <= total; current++) {
      await clock.sleep(interval * 1000, signal);
      yield { current, total, message: `Step ${current} of ${total}.` };
    }
    return `Generator task finished after ${total} steps.`;
  },
});
