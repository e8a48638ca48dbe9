import { LightSettings, type LightStatus, ScanError, SUPPLY_VOLTS } from "@openscan/protocol";
import { Lock } from "../lock.js";
import { Settings } from "../settings.js";
import type { LightDriver } from "./driver.js";

export interface LightOptions {
  readonly name: string;
  readonly settings: LightSettings;
  readonly driver: LightDriver;
  /** Wakes the device. */
  readonly wake: () => Promise<void>;
  /** Names, and tells of, what the driver threw. */
  readonly fault: (cause: unknown) => ScanError;
  /** Announces what has changed: `is_on`, `value`, `settings`. */
  readonly changed: (part: string) => void;
}

/** One light. While the device is idle it is dark, but remembers whether it is on. */
export class Light {
  readonly name: string;
  readonly settings: Settings<LightSettings>;
  readonly #driver: LightDriver;
  readonly #wake: () => Promise<void>;
  readonly #changed: (part: string) => void;
  readonly #fault: (cause: unknown) => ScanError;
  readonly #lock: Lock;
  #on = false;
  /** Percent. */
  #intensity = 100;
  #idle = false;
  #closed = false;

  constructor({ name, settings, driver, wake, changed, fault }: LightOptions) {
    this.name = name;
    this.#driver = driver;
    this.#wake = wake;
    this.#changed = changed;
    this.#fault = fault;
    this.#lock = new Lock(`light ${JSON.stringify(name)}`);
    this.settings = new Settings({
      owner: `light ${JSON.stringify(name)}`,
      schema: LightSettings,
      initial: settings,
      lock: this.#lock,
      assertOpen: () => this.#assertOpen(),
      apply: async (values) => {
        await driver.configure(values);
        await driver.write(this.#on && !this.#idle, powerAt(this.#intensity, values));
      },
      changed: () => changed("settings"),
      fault,
    });
  }

  status(): LightStatus {
    return { name: this.name, is_on: this.#on, settings: this.settings.get(), value: this.#intensity };
  }

  /**
   * Wakes the device and switches the light on.
   *
   * @throws ScanError `hardware_fault` when it cannot be driven: it then is as it was; `offline` when closed
   */
  async turnOn(): Promise<LightStatus> {
    this.#assertOpen();
    await this.#wake();
    return this.switchTo(true);
  }

  /** Switches the light off; an idle device stays idle. Errors as `turnOn`. */
  async turnOff(): Promise<LightStatus> {
    return this.switchTo(false);
  }

  async toggle(): Promise<LightStatus> {
    this.#assertOpen();
    if (!this.#on) await this.#wake();
    return this.#switch(() => !this.#on);
  }

  /**
   * Wakes the device and lets the light shine with this part of its intensity; 0 switches it off, without waking.
   *
   * @param percent 0 to 100
   * @throws ScanError `unsupported` for a part of it when the light cannot be dimmed; others as `turnOn`
   */
  async dim(percent: number): Promise<LightStatus> {
    this.#assertOpen();
    if (percent > 0 && percent < 100 && !this.settings.get().pwm_support)
      throw new ScanError("unsupported", `light ${this.name} cannot be dimmed`);
    if (percent > 0) await this.#wake();
    await this.#lock.run(() => this.#drive({ on: percent > 0, idle: this.#idle, intensity: percent }));
    this.#changed("value");
    this.#changed("is_on");
    return this.status();
  }

  /** Switches without waking the device. */
  async switchTo(on: boolean): Promise<LightStatus> {
    return this.#switch(() => on);
  }

  /** `decide` is asked when the light is ready for it: of two toggles each turns what the other left. */
  async #switch(decide: () => boolean): Promise<LightStatus> {
    this.#assertOpen();
    await this.#lock.run(() => {
      const on = decide();
      // One that was dimmed to nothing would stay dark.
      const intensity = on ? this.#intensity || 100 : this.#intensity;
      return this.#drive({ on, idle: this.#idle, intensity });
    });
    this.#changed("is_on");
    return this.status();
  }

  /** Goes dark, or is as before again; `is_on` does not change. */
  async rest(idle: boolean): Promise<void> {
    this.#assertOpen();
    await this.#lock.run(() => this.#drive({ on: this.#on, idle, intensity: this.#intensity }));
  }

  /** Switches off and lets go of the pins. Everything asked for later is `offline`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#lock.runAtLast(async () => {
      try {
        await this.#driver.write(false, 0);
      } finally {
        await this.#driver.close();
      }
    });
  }

  async #drive({ on, idle, intensity }: { on: boolean; idle: boolean; intensity: number }): Promise<void> {
    const power = powerAt(intensity, this.settings.get());
    await this.#driver.write(on && !idle, power).catch((error: unknown) => {
      throw this.#fault(error);
    });
    this.#intensity = intensity;
    this.#on = on;
    this.#idle = idle;
  }

  #assertOpen(): void {
    if (this.#closed) throw new ScanError("offline", `light ${this.name} is closed`);
  }
}

/** The part of the time for which the pins are high: what a lamp behind them sees as a voltage. */
function powerAt(percent: number, { pwm_support, pwm_min, pwm_max }: Readonly<LightSettings>): number {
  if (percent === 0) return 0;
  if (!pwm_support) return 1;
  return (pwm_min + ((pwm_max - pwm_min) * percent) / 100) / SUPPLY_VOLTS;
}
