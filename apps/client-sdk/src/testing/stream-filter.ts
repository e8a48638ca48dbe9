import type { StreamOptions } from "@openscan/protocol";
import { type AnyEvent, changedPaths, taskId } from "./rules.js";

/** What a connection asks for. `min_interval` is not among it: here everything is told at once. */
export type Wishes = Omit<StreamOptions, "min_interval">;

/** In the query of the socket's URL. */
export function wishesOfQuery(query: URLSearchParams): Wishes {
  const list = (name: string) => query.get(name)?.split(",");
  const since = query.get("since");
  return {
    types: list("types"),
    ids: list("ids"),
    paths: list("paths"),
    delta: query.get("delta") === "1",
    since: since === null ? undefined : Number(since),
    epoch: query.get("epoch") ?? undefined,
  };
}

export function passes(event: AnyEvent, { types, ids, paths }: Wishes): boolean {
  const id = taskId(event);
  const changed = changedPaths(event);
  return (
    (types === undefined || types.includes(event.type)) &&
    (ids === undefined || id === undefined || ids.includes(id)) &&
    (paths === undefined || !changed || changed.some((path) => paths.some((wish) => covers(wish, path))))
  );
}

/** Whether a change at `path` is news for somebody who asked for `wish`: at it, below it or above it. */
function covers(wish: string, path: string): boolean {
  const above = [...wish].flatMap((character, at) => {
    if (character === ".") return [wish.slice(0, at)];
    return character === "*" ? [wish.slice(0, at + 1)] : [];
  });
  return matches(wish, path, "(\\..*)?") || above.some((start) => matches(start, path, ""));
}

/** `*` stands for any text. */
function matches(pattern: string, path: string, rest: string): boolean {
  const texts = pattern.split("*").map((text) => text.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${texts.join(".*")}${rest}$`, "s").test(path);
}
