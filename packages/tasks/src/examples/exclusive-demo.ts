import { z } from "zod";
import { parameters } from "../parameters.js";
import { defineTask } from "../task-type.js";

/** Occupies its lane for `duration` seconds. */
export const exclusiveDemo = defineTask({
  type: "exclusive_demo_task",
  concurrency: "exclusive",
  input: parameters(z.strictObject({ duration: z.number().min(0).default(1) })),
  async run({ duration }, { clock, signal }) {
    await clock.sleep(duration * 1000, signal);
    return { status: "completed", duration };
  },
});
