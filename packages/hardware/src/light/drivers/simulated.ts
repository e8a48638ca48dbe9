import type { LightSettings } from "@openscan/protocol";
import { z } from "zod";
import { defineLightDriver } from "../../define.js";
import type { SimulatedWorld } from "../../simulated-world.js";

/** A ring light around the lens of the simulated camera. */
export const simulatedLight = (world: SimulatedWorld) =>
  defineLightDriver({
    kind: "simulated",
    settings: z.object({}),
    open: async (_settings, { name, settings }) => {
      let pins: LightSettings["pins"] = settings.pins;
      const shine = (power: number) => {
        world.shine(name, power);
        for (const pin of pins ?? []) world.lines.set(pin, power > 0);
      };
      return {
        configure: async (changed) => {
          shine(0);
          pins = changed.pins;
        },
        write: async (on, power) => shine(on ? power : 0),
        close: async () => shine(0),
      };
    },
  });
