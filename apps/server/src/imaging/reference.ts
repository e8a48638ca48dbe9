/** Which of a stack's photos gives place and scale: the middle one, from which all others differ the least. */
export function referenceOf(photos: number): number {
  return Math.floor(photos / 2);
}
