import type { StreamOptions } from "@openscan/protocol";
import type { Message } from "./message.js";
import { concerns } from "./path-pattern.js";

const rememberedPaths = 1000;

/** Which events of a namespace a connection asked for. */
export class Filter {
  readonly #types: ReadonlySet<string> | undefined;
  readonly #ids: ReadonlySet<string> | undefined;
  readonly #patterns: readonly string[] | undefined;
  /** A scanner has few paths, and they come again and again. */
  readonly #known = new Map<string, boolean>();

  constructor({ types, ids, paths }: StreamOptions) {
    this.#types = types && new Set(types);
    this.#ids = ids && new Set(ids);
    this.#patterns = paths;
  }

  /** `undefined` when everything passes. */
  static of(options: StreamOptions): Filter | undefined {
    const { types, ids, paths } = options;
    return types || ids || paths ? new Filter(options) : undefined;
  }

  passes(message: Message): boolean {
    return this.passesKind(message) && this.passesChange(message.changed);
  }

  /** Whether type and id pass. */
  passesKind({ event, definition }: Message): boolean {
    if (this.#types && !this.#types.has(event.type)) return false;
    const id = this.#ids && definition.id(event);
    return id === undefined || this.#ids?.has(id) === true;
  }

  passesChange(changed: readonly string[] | null | undefined): boolean {
    return !this.#patterns || !changed || changed.some((path) => this.#passesPath(path));
  }

  #passesPath(path: string): boolean {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const passes = this.#patterns?.some((pattern) => concerns(pattern, path)) ?? true;
    if (this.#known.size >= rememberedPaths) this.#known.clear();
    this.#known.set(path, passes);
    return passes;
  }
}
