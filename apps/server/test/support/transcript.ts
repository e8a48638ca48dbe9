/**
 * Makes two runs of one session comparable. What is replaced, and nothing else:
 * - ids of tasks by their number in the order of their appearance, anywhere in a text
 * - times (checked to be UTC ISO-8601 with `Z`) and measured durations by their kind
 * - the angle of a motor while it moves: where it is when something else happens depends on the machine's load
 */
export class Transcript {
  readonly #ids = new Map<string, string>();

  /** One line of JSON for each message. */
  lines(messages: readonly unknown[]): string {
    return messages.map((message) => `${JSON.stringify(this.#normalised(message))}\n`).join("");
  }

  #normalised(value: unknown, key = ""): unknown {
    if (typeof value === "string") return this.#text(value, key);
    if (typeof value === "number" && key === "last_duration_ms") return "<duration>";
    if (Array.isArray(value)) return value.map((item) => this.#normalised(item));
    if (typeof value !== "object" || value === null) return value;
    const moving = "busy" in value && "angle" in value && value.busy === true;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name,
        moving && name === "angle" ? "<moving>" : this.#normalised(member, name),
      ]),
    );
  }

  #text(value: string, key: string): string {
    if (key.endsWith("_at")) {
      if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)) throw new Error(`${key} is ${value}`);
      return "<time>";
    }
    return value.replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, (id) => {
      if (!this.#ids.has(id)) this.#ids.set(id, `<task ${this.#ids.size + 1}>`);
      return this.#ids.get(id) ?? "";
    });
  }
}
