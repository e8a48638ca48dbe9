import type { LightSettings } from "@openscan/protocol";

/** What switches one light. A driver is opened with the light off. */
export interface LightDriver {
  /** Uses other pins from now on and lets go of the former ones; the new ones are off. */
  configure(settings: LightSettings): Promise<void>;
  write(on: boolean): Promise<void>;
  close(): Promise<void>;
}
