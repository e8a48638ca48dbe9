import { z } from "zod";
import { defineEndstopDriver } from "../../define.js";
import { wrap } from "../../motor/angles.js";
import type { SimulatedWorld } from "../../simulated-world.js";

const SimulatedEndstopSettings = z.object({
  position: z
    .number()
    .optional()
    .describe("degrees at which the motor really touches it; default: where it is configured to be"),
  width: z.number().min(0).max(360).default(30).describe("degrees over which it then stays pressed"),
});

/** A switch that is pressed by where the simulated motor really is. */
export const simulatedEndstop = (world: SimulatedWorld) =>
  defineEndstopDriver({
    kind: "simulated",
    settings: SimulatedEndstopSettings,
    open: async ({ position, width }, { settings }) => {
      const { motor_name, angular_position, active_high } = settings;
      const start = position ?? angular_position;
      // Summed up step by step, an angle that should equal the position may miss it by a hair.
      const pressed = () => wrap(world.angle(motor_name) - start + 1e-9) <= width;
      const listeners = new Set<() => void>();
      let before = pressed();
      const forget = world.onMotion(() => {
        if (pressed() === before) return;
        before = !before;
        for (const listener of [...listeners]) listener();
      });
      return {
        get high() {
          return pressed() === (active_high ?? false);
        },
        onChange: (listener) => {
          listeners.add(listener);
          return () => void listeners.delete(listener);
        },
        close: async () => forget(),
      };
    },
  });
