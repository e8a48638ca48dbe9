import { z } from "zod";
import { defineLightDriver } from "../../define.js";
import type { SimulatedWorld } from "../../simulated-world.js";

/** A ring light around the lens of the simulated camera. */
export const simulatedLight = (world: SimulatedWorld) =>
  defineLightDriver({
    kind: "simulated",
    settings: z.object({}),
    open: async (_settings, { name }) => ({
      configure: async () => world.shine(name, false),
      write: async (on) => world.shine(name, on),
      close: async () => world.shine(name, false),
    }),
  });
