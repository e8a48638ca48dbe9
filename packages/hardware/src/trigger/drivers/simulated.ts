import { z } from "zod";
import { defineTriggerDriver } from "../../define.js";
import type { SimulatedWorld } from "../../simulated-world.js";

/** A line whose level the simulated world shows. */
export const simulatedTrigger = (world: SimulatedWorld) =>
  defineTriggerDriver({
    kind: "simulated",
    settings: z.object({}),
    open: async (_settings, { name, settings }) => {
      world.setLine(name, settings.active_level === "active_low");
      return {
        configure: async () => {},
        write: async (high) => world.setLine(name, high),
        close: async () => {},
      };
    },
  });
