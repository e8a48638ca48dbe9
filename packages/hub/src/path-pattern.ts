const star = "*";
const separator = ".";

/** A place in a pattern that a path can have led to. */
interface Reading {
  readonly at: number;
  /** The star just before `at` stands for more than one segment. */
  readonly isWide: boolean;
}

/**
 * Whether a change at `path` is news for somebody who asked for `pattern`: it matches, or lies below something
 * that does, or is the whole of which the pattern names a part. `*` stands for any text, dots included, because
 * names contain dots; only the last star of such a whole stands for one segment, or `motors.*.angle` would let
 * `motors.rotor.busy` pass. Follows all readings of the pattern at once: clients choose the patterns, and
 * backtracking could take forever.
 */
export function concerns(pattern: string, path: string): boolean {
  let readings = withStars([{ at: 0, isWide: false }], pattern);
  for (const character of path) {
    if (character === separator && readings.some(({ at }) => at === pattern.length)) return true;
    readings = withStars(
      readings.flatMap((reading) => step(reading, pattern, character)),
      pattern,
    );
    if (readings.length === 0) return false;
  }
  return readings.some(({ at, isWide }) => at === pattern.length || (pattern[at] === separator && !isWide));
}

function step({ at, isWide }: Reading, pattern: string, character: string): Reading[] {
  if (pattern[at] === star) return [{ at, isWide: isWide || character === separator }];
  return pattern[at] === character ? [{ at: at + 1, isWide: false }] : [];
}

/** A star may stand for nothing, and may end anywhere; readings that came to the same are one. */
function withStars(readings: readonly Reading[], pattern: string): Reading[] {
  const all = new Map<number, Reading>();
  for (let reading of readings) {
    while (add(all, reading) && pattern[reading.at] === star) reading = { ...reading, at: reading.at + 1 };
  }
  return [...all.values()];
}

function add(all: Map<number, Reading>, reading: Reading): boolean {
  const key = 2 * reading.at + (reading.isWide ? 1 : 0);
  if (all.has(key)) return false;
  all.set(key, reading);
  return true;
}
