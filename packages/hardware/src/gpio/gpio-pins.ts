import { ScanError } from "@openscan/protocol";
import type { Logger } from "@openscan/runtime";
import { fault } from "../fault.js";
import { Lock } from "../lock.js";
import type { GpioLines } from "./lines.js";

/** What the components of the device do with its pins. */
export interface UsedPins {
  readonly outputs: ReadonlySet<number>;
  readonly buttons: ReadonlySet<number>;
  /** Those that must be left alone at the moment, and why. */
  readonly busy: ReadonlyMap<number, string>;
}

interface GpioPinsOptions {
  readonly lines: GpioLines;
  readonly used: () => UsedPins;
  readonly log: Logger;
}

/**
 * The pins of the board, for whoever looks for a fault in the wiring. Outputs are those that components drive and
 * those that somebody has set here; what a component does next decides again about its own.
 */
export class GpioPins {
  readonly #lines: GpioLines;
  readonly #used: () => UsedPins;
  readonly #log: Logger;
  readonly #claimed = new Set<number>();
  readonly #lock = new Lock("GPIO");

  constructor({ lines, used, log }: GpioPinsOptions) {
    this.#lines = lines;
    this.#used = used;
    this.#log = log;
  }

  /** BCM numbers, ascending. */
  list(): { readonly outputs: number[]; readonly buttons: number[] } {
    const { outputs, buttons } = this.#used();
    const ascending = (pins: Iterable<number>) => [...new Set(pins)].sort((a, b) => a - b);
    return { outputs: ascending([...outputs, ...this.#claimed]), buttons: ascending(buttons) };
  }

  /** @throws ScanError `not_found` for what is no output */
  async read(pin: number): Promise<boolean> {
    if (!this.#isOutput(pin)) throw new ScanError("not_found", `GPIO ${pin} is no output`);
    return this.#driven(pin, () => this.#lines.read(pin));
  }

  /**
   * Makes a pin high or low, and an output if nothing uses it.
   *
   * @throws ScanError `conflict` for a button, `busy` while a component must not be disturbed, `out_of_range` for a pin
   * that there is not, `hardware_fault`
   */
  async set(pin: number, high: boolean): Promise<boolean> {
    return this.#lock.run(async () => {
      const { buttons } = this.#used();
      if (buttons.has(pin)) throw new ScanError("conflict", `GPIO ${pin} is a button`);
      this.#assertQuiet(pin);
      if (!this.#isOutput(pin)) {
        await this.#driven(pin, () => this.#lines.claim(pin));
        this.#claimed.add(pin);
      }
      await this.#driven(pin, () => this.#lines.write(pin, high));
      return high;
    });
  }

  /** @throws ScanError `conflict` for what is no output; others as `set` */
  async toggle(pin: number): Promise<boolean> {
    return this.#lock.run(async () => {
      if (!this.#isOutput(pin)) throw new ScanError("conflict", `GPIO ${pin} is no output`);
      this.#assertQuiet(pin);
      const high = !(await this.#driven(pin, () => this.#lines.read(pin)));
      await this.#driven(pin, () => this.#lines.write(pin, high));
      return high;
    });
  }

  /** Lets go of the pins that were set here: components may want them. What cannot be released is logged. */
  async release(): Promise<void> {
    await this.#lock.runAtLast(async () => {
      for (const pin of this.#claimed)
        await this.#lines
          .release(pin)
          .catch((err: unknown) => this.#log.error({ err, pin }, "a GPIO line could not be released"));
      this.#claimed.clear();
    });
  }

  #isOutput(pin: number): boolean {
    return this.#claimed.has(pin) || this.#used().outputs.has(pin);
  }

  #assertQuiet(pin: number): void {
    const reason = this.#used().busy.get(pin);
    if (reason !== undefined) throw new ScanError("busy", `GPIO ${pin}: ${reason}`);
  }

  async #driven<T>(pin: number, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw fault(`GPIO ${pin}`, cause);
    }
  }
}
