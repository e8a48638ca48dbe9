import {
  ScanError,
  type TriggerDelays,
  type TriggerExecution,
  TriggerSettings,
  type TriggerStatus,
} from "@openscan/protocol";
import { type Clock, timestamp } from "@openscan/runtime";
import { Lock } from "../lock.js";
import { Settings } from "../settings.js";
import { abortedBy } from "../waiting.js";
import type { TriggerDriver } from "./driver.js";

export interface TriggerOptions {
  readonly name: string;
  readonly settings: TriggerSettings;
  readonly driver: TriggerDriver;
  readonly clock: Clock;
  /** Names, and tells of, what the driver threw. */
  readonly fault: (cause: unknown) => ScanError;
  /** Announces what has changed: `busy`, `settings`, or nothing in particular when a pulse was recorded. */
  readonly changed: (part?: string) => void;
}

/** A line that makes an external camera take its photo. */
export class Trigger {
  readonly name: string;
  readonly settings: Settings<TriggerSettings>;
  readonly #driver: TriggerDriver;
  readonly #clock: Clock;
  readonly #changed: (part?: string) => void;
  readonly #fault: (cause: unknown) => ScanError;
  readonly #lock: Lock;
  readonly #closing = new AbortController();
  #busy = false;
  #last: TriggerExecution | undefined;

  constructor({ name, settings, driver, clock, changed, fault }: TriggerOptions) {
    this.name = name;
    this.#driver = driver;
    this.#clock = clock;
    this.#changed = changed;
    this.#fault = fault;
    this.#lock = new Lock(`trigger ${JSON.stringify(name)}`);
    this.settings = new Settings({
      owner: `trigger ${JSON.stringify(name)}`,
      schema: TriggerSettings,
      initial: settings,
      lock: this.#lock,
      assertOpen: () => this.#assertOpen(),
      apply: async (values) => {
        await driver.configure(values);
        await driver.write(levelOf(false, values));
      },
      changed: () => changed("settings"),
      fault,
    });
  }

  status(): TriggerStatus {
    return {
      name: this.name,
      busy: this.#busy,
      settings: this.settings.get(),
      last_triggered_at: this.#last?.triggered_at ?? null,
      last_completed_at: this.#last?.completed_at ?? null,
      last_duration_ms: this.#last?.duration_ms ?? null,
    };
  }

  /**
   * Sends one pulse: waits, active for `pulse_width_ms`, waits again. The line is inactive afterwards in any case.
   *
   * @throws ScanError `conflict` when disabled, `busy` during another pulse, `cancelled`, `hardware_fault`,
   * `offline` when closed
   */
  async fire(delays: Partial<TriggerDelays> = {}, signal?: AbortSignal): Promise<TriggerExecution> {
    this.#assertOpen();
    if (!this.settings.get().enabled) throw new ScanError("conflict", `trigger ${this.name} is disabled`);
    if (this.#busy) throw new ScanError("busy", `trigger ${this.name} is busy`);
    if (signal?.aborted) throw this.#cancelled(signal.reason);
    const stop = abortedBy(signal, this.#closing.signal);
    this.#busy = true;
    this.#changed("busy");
    try {
      this.#last = await this.#lock.run(() => this.#pulse(delays, stop.signal), stop.signal);
      this.#changed();
      return this.#last;
    } catch (error) {
      throw stop.signal.aborted ? this.#cancelled(error) : this.#fault(error);
    } finally {
      stop.unlink();
      this.#busy = false;
      this.#changed("busy");
    }
  }

  /** Makes sure that the line is inactive, after a pulse under way. @throws ScanError `hardware_fault`, `offline` */
  async reset(): Promise<void> {
    this.#assertOpen();
    await this.#lock
      .run(() => this.#write(false))
      .catch((error: unknown) => {
        throw this.#fault(error);
      });
  }

  /** Ends a pulse under way, leaves the line inactive and lets go of it. Later requests are `offline`. */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new ScanError("offline", `trigger ${this.name} is closed`));
    await this.#lock.runAtLast(async () => {
      try {
        await this.#write(false);
      } finally {
        await this.#driver.close();
      }
    });
  }

  async #pulse(
    { pre_trigger_delay_ms: before = 0, post_trigger_delay_ms: after = 0 }: Partial<TriggerDelays>,
    stop: AbortSignal,
  ): Promise<TriggerExecution> {
    await this.#clock.sleep(before, stop);
    const triggered_at = timestamp(this.#clock);
    const start = this.#clock.monotonic();
    try {
      await this.#write(true);
      await this.#clock.sleep(this.settings.get().pulse_width_ms, stop);
    } finally {
      await this.#write(false);
    }
    await this.#clock.sleep(after, stop);
    const duration_ms = Math.round(this.#clock.monotonic() - start);
    return { name: this.name, triggered_at, completed_at: timestamp(this.#clock), duration_ms };
  }

  #write(active: boolean): Promise<void> {
    return this.#driver.write(levelOf(active, this.settings.get()));
  }

  #cancelled(cause: unknown): ScanError {
    return new ScanError("cancelled", `the pulse of trigger ${this.name} was cancelled`, { cause });
  }

  #assertOpen(): void {
    this.#closing.signal.throwIfAborted();
  }
}

/** Whether the line is high when the trigger is active, or not active. */
function levelOf(active: boolean, { active_level }: Readonly<TriggerSettings>): boolean {
  return active === (active_level === "active_high");
}
