import type { LightSettings } from "@openscan/protocol";

/** What switches one light. A driver is opened with the light off. */
export interface LightDriver {
  /** Uses other pins from now on and lets go of the former ones; the new ones are off. */
  configure(settings: LightSettings): Promise<void>;
  /** `power` is the part of the time that its pins are high while it is on, 0 to 1; for those that can dim it. */
  write(on: boolean, power: number): Promise<void>;
  close(): Promise<void>;
}
