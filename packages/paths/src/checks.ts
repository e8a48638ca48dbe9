/** @throws RangeError naming the value unless it lies within `min` and `max` */
export function requireWithin(name: string, value: number, min: number, max: number): void {
  if (value >= min && value <= max) return;
  throw new RangeError(`${name} must be from ${min} to ${max}, not ${value}`);
}

/** @throws RangeError naming the value unless it is finite and greater than 0 */
export function requirePositive(name: string, value: number): void {
  if (value > 0 && Number.isFinite(value)) return;
  throw new RangeError(`${name} must be a number greater than 0, not ${value}`);
}

/** @throws RangeError naming the value unless it is a whole number of at least 1 */
export function requireCount(name: string, value: number): void {
  if (value >= 1 && Number.isSafeInteger(value)) return;
  throw new RangeError(`${name} must be a whole number of at least 1, not ${value}`);
}
