/** The same numbers from 0 to below 1 for the same seed: a multiplicative generator modulo a prime. */
export function randomNumbers(seed: number): () => number {
  let state = (seed % 2147483646) + 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
