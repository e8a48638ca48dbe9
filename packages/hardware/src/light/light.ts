import { LightSettings, type LightStatus, ScanError } from "@openscan/protocol";
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
  /** Announces what has changed: `is_on`, `settings`. */
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
        await driver.write(this.#on && !this.#idle);
      },
      changed: () => changed("settings"),
      fault,
    });
  }

  status(): LightStatus {
    return { name: this.name, is_on: this.#on, settings: this.settings.get() };
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

  /** Switches without waking the device. */
  async switchTo(on: boolean): Promise<LightStatus> {
    return this.#switch(() => on);
  }

  /** `decide` is asked when the light is ready for it: of two toggles each turns what the other left. */
  async #switch(decide: () => boolean): Promise<LightStatus> {
    this.#assertOpen();
    await this.#lock.run(() => this.#drive({ on: decide(), idle: this.#idle }));
    this.#changed("is_on");
    return this.status();
  }

  /** Goes dark, or is as before again; `is_on` does not change. */
  async rest(idle: boolean): Promise<void> {
    this.#assertOpen();
    await this.#lock.run(() => this.#drive({ on: this.#on, idle }));
  }

  /** Switches off and lets go of the pins. Everything asked for later is `offline`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#lock.runAtLast(async () => {
      try {
        await this.#driver.write(false);
      } finally {
        await this.#driver.close();
      }
    });
  }

  async #drive({ on, idle }: { on: boolean; idle: boolean }): Promise<void> {
    await this.#driver.write(on && !idle).catch((error: unknown) => {
      throw this.#fault(error);
    });
    this.#on = on;
    this.#idle = idle;
  }

  #assertOpen(): void {
    if (this.#closed) throw new ScanError("offline", `light ${this.name} is closed`);
  }
}
