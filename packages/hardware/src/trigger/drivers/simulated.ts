import { z } from "zod";
import { defineTriggerDriver } from "../../define.js";
import type { SimulatedWorld } from "../../simulated-world.js";

/** A line whose level the simulated world shows. */
export const simulatedTrigger = (world: SimulatedWorld) =>
  defineTriggerDriver({
    kind: "simulated",
    settings: z.object({}),
    open: async (_settings, { name, settings }) => {
      let { pin } = settings;
      const write = (high: boolean) => {
        world.setLine(name, high);
        world.lines.set(pin, high);
      };
      write(settings.active_level === "active_low");
      return {
        configure: async (changed) => {
          pin = changed.pin;
        },
        write: async (high) => write(high),
        close: async () => {},
      };
    },
  });
