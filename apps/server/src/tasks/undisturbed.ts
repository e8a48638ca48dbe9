import { isDeepStrictEqual } from "node:util";
import { type Direction, directionOf, type Scanner } from "./scanner.js";

export interface Undisturbed<T> {
  readonly scanner: Scanner;
  /** Where the motors were sent, and where that has brought them. */
  readonly target: Direction;
  readonly reached: Direction;
  readonly signal: AbortSignal;
  /** Waits while nothing may happen. */
  readonly checkpoint: () => Promise<void>;
  readonly work: () => Promise<T>;
  /** Told when the motors were turned meanwhile and the work is done again. */
  readonly disturbed: () => void;
}

/**
 * Works with the motors where they have to be and the light on, from the beginning to the end of it. Motors may be
 * turned by hand as soon as a scan is paused, which may be before its last photo has been taken.
 */
export async function undisturbed<T>(options: Undisturbed<T>): Promise<T> {
  const { scanner, target, reached, signal, checkpoint, work, disturbed } = options;
  let stand = reached;
  const isThere = () => isDeepStrictEqual(directionOf(scanner), stand);
  for (;;) {
    await checkpoint();
    const result = await awake(scanner, async () => {
      // In a pause the device may have fallen asleep, too.
      await scanner.prepareScan(signal);
      if (!isThere()) await scanner.moveTo(target, signal);
      stand = directionOf(scanner);
      return work();
    });
    if (isThere()) return result;
    disturbed();
  }
}

/** The light must not go out between a move and its photo; in a long pause the device may rest. */
async function awake<T>(scanner: Scanner, work: () => Promise<T>): Promise<T> {
  const release = scanner.keepAwake();
  try {
    return await work();
  } finally {
    release();
  }
}
