/** Where a simulated motor stands when nothing else is known; controllers assume the same. */
const START_ANGLE = 90;

/**
 * The physical side of a simulated scanner: what is true whether or not anyone has measured it. The simulated
 * drivers of one device share one world, so that a photo shows where the motors really are.
 *
 * Angles are mechanical degrees. The rotor's is the polar angle of the camera (theta); the turntable's is the
 * camera's azimuth as seen from the object (fi), so it grows when the table turns clockwise, seen from above.
 */
export class SimulatedWorld {
  readonly #angles = new Map<string, () => number>();
  /** The lines of the board that something has driven: whether they are high, by BCM number. */
  readonly lines = new Map<number, boolean>();
  readonly #lit = new Map<string, number>();
  readonly #triggers = new Map<string, boolean>();
  readonly #watchers = new Set<() => void>();

  /** Where a motor stands at this very moment, mid-move too; not wrapped at 360. */
  angle(motor: string): number {
    return this.#angles.get(motor)?.() ?? START_ANGLE;
  }

  /** Ring light, 0 to 1. */
  get light(): number {
    return Math.max(0, ...this.#lit.values());
  }

  /** Whether a trigger's line is high. */
  line(trigger: string): boolean {
    return this.#triggers.get(trigger) ?? false;
  }

  /** From now on `angle` tells where this motor stands. */
  place(motor: string, angle: () => number): void {
    this.#angles.set(motor, angle);
  }

  /** @param power 0 to 1 */
  shine(light: string, power: number): void {
    this.#lit.set(light, power);
  }

  setLine(trigger: string, high: boolean): void {
    this.#triggers.set(trigger, high);
  }

  /** Calls back after motors have moved; the returned function ends that. */
  onMotion(watcher: () => void): () => void {
    const entry = () => watcher();
    this.#watchers.add(entry);
    return () => void this.#watchers.delete(entry);
  }

  /** Told by whatever moves. */
  moved(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}
