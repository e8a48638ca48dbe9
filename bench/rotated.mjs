/**
 * `list` from another place on in each turn: whoever is measured after a busy peer finds the caches cold.
 *
 * @template T
 * @param {T[]} list
 * @param {number} turn
 * @returns {T[]}
 */
export function rotated(list, turn) {
  const first = turn % list.length;
  return [...list.slice(first), ...list.slice(0, first)];
}
