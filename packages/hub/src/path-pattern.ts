const star = "*";

/**
 * Whether a change at `path` is news for somebody who asked for `pattern`: it matches, or something above or
 * below it does. `*` stands for any text. Follows all readings of the pattern at once, because clients choose
 * the patterns and backtracking could take forever.
 */
export function concerns(pattern: string, path: string): boolean {
  let readings = new Set([0]);
  for (const character of path) {
    skipStars(readings, pattern);
    // The pattern ended at something that `path` lies below.
    if (character === "." && readings.has(pattern.length)) return true;
    readings = step(readings, pattern, character);
    if (readings.size === 0) return false;
  }
  skipStars(readings, pattern);
  return readings.has(pattern.length) || step(readings, pattern, ".").size > 0;
}

/** A star may stand for nothing. */
function skipStars(readings: Set<number>, pattern: string): void {
  for (const at of readings) if (pattern[at] === star) readings.add(at + 1);
}

function step(readings: ReadonlySet<number>, pattern: string, character: string): Set<number> {
  const next = new Set<number>();
  for (const at of readings) {
    if (pattern[at] === star) next.add(at);
    else if (pattern[at] === character) next.add(at + 1);
  }
  return next;
}
