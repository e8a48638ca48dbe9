/** A goal about a figure; `value` is undefined when something that it needs was not measured. */
export const atMost = (name, value, limit) => ({
  name,
  value,
  limit: `<= ${limit}`,
  met: met(value, value <= limit),
});
export const atLeast = (name, value, limit) => ({
  name,
  value,
  limit: `>= ${limit}`,
  met: met(value, value >= limit),
});

const met = (value, isMet) => (value === undefined ? undefined : isMet);
