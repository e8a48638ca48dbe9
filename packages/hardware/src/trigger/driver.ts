import type { TriggerSettings } from "@openscan/protocol";

/** What drives one trigger line. A driver is opened with the line at the level that is not active. */
export interface TriggerDriver {
  /** Uses another pin from now on and lets go of the former one. */
  configure(settings: TriggerSettings): Promise<void>;
  write(high: boolean): Promise<void>;
  close(): Promise<void>;
}
