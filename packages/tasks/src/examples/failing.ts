import { z } from "zod";
import { parameters } from "../parameters.js";
import { defineTask } from "../task-type.js";

/** Fails after 10 ms. */
export const failing = defineTask({
  type: "failing_task",
  concurrency: "concurrent",
  input: parameters(z.strictObject({ error_message: z.string().default("This task is meant to fail.") })),
  async run({ error_message }, { clock, signal }) {
    await clock.sleep(10, signal);
    throw new Error(error_message);
  },
});
