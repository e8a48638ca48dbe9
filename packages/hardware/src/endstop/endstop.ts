import type { EndstopSettings, EndstopStatus } from "@openscan/protocol";
import type { EndstopDriver } from "./driver.js";

export interface EndstopOptions {
  readonly name: string;
  readonly settings: EndstopSettings;
  readonly driver: EndstopDriver;
}

/** A switch that one motor touches at a known angle. */
export class Endstop {
  readonly name: string;
  readonly settings: EndstopSettings;
  readonly #driver: EndstopDriver;

  constructor({ name, settings, driver }: EndstopOptions) {
    this.name = name;
    this.settings = settings;
    this.#driver = driver;
  }

  get pressed(): boolean {
    return this.#driver.high === (this.settings.active_high ?? false);
  }

  /** Calls back when the switch was touched or left; the returned function ends that. */
  onChange(listener: () => void): () => void {
    return this.#driver.onChange(listener);
  }

  status(): EndstopStatus {
    const { motor_name, angular_position, pin, pull_up, active_high, bounce_time } = this.settings;
    return {
      assigned_motor: motor_name,
      position: angular_position,
      pin,
      is_pressed: this.pressed,
      pull_up,
      active_high,
      bounce_time,
    };
  }

  close(): Promise<void> {
    return this.#driver.close();
  }
}
