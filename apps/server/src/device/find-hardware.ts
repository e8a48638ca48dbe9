import { existsSync } from "node:fs";
import type { Logger } from "@openscan/runtime";

/** Whether this machine is part of a scanner: it then has a GPIO character device. */
export const isScanner = (): boolean => existsSync("/dev/gpiochip0");

/**
 * Tells whether this machine has what an OpenScan shield needs: a GPIO character device. Without one the server
 * simulates a scanner, and says so.
 */
export function findHardware(log: Logger): boolean {
  const found = isScanner();
  if (found) log.warn({}, "GPIO found, but this version drives simulated components only");
  else log.warn({}, "no scanner hardware found (/dev/gpiochip0 is missing): everything is simulated");
  return found;
}
