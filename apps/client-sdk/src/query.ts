export type Query = Readonly<
  Record<string, string | number | boolean | readonly string[] | undefined | null>
>;

/** The query of a URL; `undefined` and `null` are left out, several values are joined with commas. */
export function queryText(values: Query): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value != null) query.set(name, String(value));
  return String(query);
}
