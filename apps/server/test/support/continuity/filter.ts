import { isDeepStrictEqual } from "node:util";
import type { DeviceStatus, LiveTask } from "@openscan/protocol";
import { type AnyEvent, changedPaths, taskId } from "./events.js";
import type { Name } from "./scanner.js";

/** What a connection asked to be left of its stream. */
export interface Filter {
  readonly types?: readonly string[] | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly paths?: readonly string[] | undefined;
}

/** Whether an event belongs to a filtered stream. */
export function passes({ types, ids, paths }: Filter, event: AnyEvent): boolean {
  const id = taskId(event);
  const changed = changedPaths(event);
  if (types && !types.includes(event.type)) return false;
  if (ids && id !== undefined && !ids.includes(id)) return false;
  return !paths || !changed || changed.some((path) => paths.some((pattern) => matches(pattern, path)));
}

function matches(pattern: string, path: string): boolean {
  const text = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  return new RegExp(`^${text}(\\..*)?$`, "s").test(path);
}

/** The first difference between what a client shows and what it should, as far as its filter covers it. */
export function difference(
  filter: Filter,
  namespace: Name,
  shown: unknown,
  state: DeviceStatus | readonly LiveTask[],
): string | undefined {
  if (shown === undefined || shown === null) return "nothing is shown";
  return namespace === "device"
    ? deviceDifference(filter, shown as DeviceStatus, state as DeviceStatus)
    : tasksDifference(filter, shown as readonly LiveTask[], state as readonly LiveTask[]);
}

function deviceDifference(
  { types, paths }: Filter,
  shown: DeviceStatus,
  device: DeviceStatus,
): string | undefined {
  if (types && !types.includes("device.status")) return undefined;
  for (const path of paths ?? [""]) {
    const [a, b] = [at(shown, path), at(device, path)];
    if (!isDeepStrictEqual(a, b)) return `${path}: ${JSON.stringify(a)} is not ${JSON.stringify(b)}`;
  }
  return undefined;
}

function at(device: DeviceStatus, path: string): unknown {
  if (path === "") return device;
  const keys = path.split(".").filter((key) => key !== "*");
  return keys.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], device);
}

function tasksDifference(
  { types, ids }: Filter,
  shown: readonly LiveTask[],
  all: readonly LiveTask[],
): string | undefined {
  const tasks = all.filter(({ id }) => !ids || ids.includes(id));
  const updated = !types || types.includes("task.update");
  const deleted = !types || types.includes("task.deleted");
  const wrong = updated
    ? tasks.find((task) => !shown.some((other) => isDeepStrictEqual(other, task)))
    : undefined;
  if (wrong) {
    const instead = shown.find(({ id }) => id === wrong.id);
    return `${JSON.stringify(instead)} is not ${JSON.stringify(wrong)}`;
  }
  const gone = deleted ? shown.find(({ id }) => !tasks.some((task) => task.id === id)) : undefined;
  if (gone) return `task ${gone.id} is not there any more`;
  if (updated && deleted && shown.map(({ id }) => id).join() !== tasks.map(({ id }) => id).join())
    return `the order ${shown.map(({ id }) => id).join()} is not ${tasks.map(({ id }) => id).join()}`;
  return undefined;
}
