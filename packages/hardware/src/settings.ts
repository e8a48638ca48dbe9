import { ScanError } from "@openscan/protocol";
import type { z } from "zod";
import type { Lock } from "./lock.js";

export interface SettingsOptions<T> {
  /** Whose settings they are, for messages: `motor "rotor"`. */
  readonly owner: string;
  readonly schema: z.ZodType<T>;
  readonly initial: T;
  /** Held while settings are merged, applied and stored; shared with whatever must not run meanwhile. */
  readonly lock: Lock;
  /** Throws when the component is closed. */
  readonly assertOpen: () => void;
  /** Makes the hardware use these values. */
  readonly apply: (values: T) => Promise<void>;
  /** Called when new values have been stored. */
  readonly changed: () => void;
  /** Tells of an error that is the hardware's fault. */
  readonly fault: (error: ScanError) => ScanError;
}

/**
 * The settings of one component. Values are validated, applied to the hardware, then stored, then announced:
 * what `get` reports has always been accepted by the hardware.
 */
export class Settings<T extends object> {
  readonly #options: SettingsOptions<T>;
  #values: T;

  constructor(options: SettingsOptions<T>) {
    this.#options = options;
    this.#values = freeze(options.initial);
  }

  /** The values in use; frozen. */
  get(): Readonly<T> {
    return this.#values;
  }

  /**
   * Uses a whole set of values; omitted ones take their defaults.
   *
   * @throws ScanError `invalid` naming field and value, or the hardware's own error; then nothing has changed
   */
  async replace(input: unknown): Promise<T> {
    const { lock, assertOpen } = this.#options;
    assertOpen();
    return lock.run(() => this.#use(input));
  }

  /**
   * Changes some values. Nulls keep the current value, unknown keys are ignored; an empty patch does nothing.
   *
   * @throws ScanError as `replace`
   */
  async update(patch: Record<string, unknown>): Promise<T> {
    const { lock, assertOpen } = this.#options;
    assertOpen();
    if (Object.keys(patch).length === 0) return this.#values;
    return lock.run(() => this.updateHeld(patch));
  }

  /** As `update`, for whoever holds the lock. */
  updateHeld(patch: Record<string, unknown>): Promise<T> {
    const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== null));
    return this.#use({ ...this.#values, ...given });
  }

  async #use(input: unknown): Promise<T> {
    const { owner, apply, assertOpen, changed, fault } = this.#options;
    assertOpen();
    const values = this.#parse(input);
    try {
      await apply(values);
    } catch (cause) {
      const restored = await apply(this.#values).then(
        () => "",
        (error: unknown) => `; the old settings could not be restored either: ${messageOf(error)}`,
      );
      if (cause instanceof ScanError && !restored) throw fault(cause);
      const message = `${owner} does not accept these settings: ${messageOf(cause)}${restored}`;
      throw fault(new ScanError(cause instanceof ScanError ? cause.code : "invalid", message, { cause }));
    }
    this.#values = freeze(values);
    changed();
    return this.#values;
  }

  #parse(input: unknown): T {
    const parsed = this.#options.schema.safeParse(input);
    if (parsed.success) return parsed.data;
    const problems = parsed.error.issues.map(({ path, message }) => {
      const value = path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)?.[key], input);
      return `${path.join(".") || "settings"} ${JSON.stringify(value)}: ${message}`;
    });
    throw new ScanError("invalid", `${this.#options.owner}: ${problems.join("; ")}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function freeze<T>(values: T): T {
  const copy = structuredClone(values);
  for (const value of Object.values(copy as object)) Object.freeze(value);
  return Object.freeze(copy);
}
