import { ScanError } from "@openscan/protocol";
import type { SimulatedWorld } from "../simulated-world.js";
import type { GpioLines } from "./lines.js";

/** Of the 40-pin header. */
const LAST_PIN = 27;

/** The lines of a simulated Raspberry Pi. */
export function simulatedLines({ lines }: SimulatedWorld): GpioLines {
  return {
    claim: async (pin) => {
      if (pin < 0 || pin > LAST_PIN)
        throw new ScanError("out_of_range", `there is no GPIO ${pin}, only 0 to ${LAST_PIN}`);
      lines.set(pin, false);
    },
    read: async (pin) => lines.get(pin) ?? false,
    write: async (pin, high) => void lines.set(pin, high),
    release: async (pin) => void lines.delete(pin),
  };
}
