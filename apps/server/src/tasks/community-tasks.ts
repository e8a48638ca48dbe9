import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import type { Device } from "@openscan/hardware";
import { ScanError } from "@openscan/protocol";
import type { Clock, Logger } from "@openscan/runtime";
import { defineTask, parameters, type TaskManager, type TaskType } from "@openscan/tasks";
import { z } from "zod";

/** What a module is given: it lies outside of our packages, and could import none of them. */
interface CommunityTools {
  readonly defineTask: typeof defineTask;
  readonly parameters: typeof parameters;
  readonly z: typeof z;
  readonly ScanError: typeof ScanError;
  readonly device: Device;
}

interface CommunityModule {
  readonly default?: unknown;
  /** `false` leaves the module out. */
  readonly discover?: unknown;
}

interface Options {
  readonly tasks: Pick<TaskManager, "register">;
  /** Whether a community task may take the place of another one of its name. */
  readonly replace: boolean;
  readonly device: Device;
  readonly clock: Clock;
  readonly log: Logger;
}

const MODULE = /\.m?js$/;
/** Folders and files that are no tasks: hidden ones, parts of tasks, libraries, and what is there to be read. */
const LEFT_OUT = /^[._]|^node_modules$|^examples?$|\.test\.m?js$/;
/** A module that waits for something while it is loaded must not keep the scanner from starting. */
const LOAD_LIMIT_MS = 10_000;

/** Adds the task types of all modules of a folder, in the order of their names. One that fails is only warned of. */
export async function addCommunityTasks(
  directory: string,
  { tasks, replace, device, clock, log }: Options,
): Promise<void> {
  const tools: CommunityTools = { defineTask, parameters, z, ScanError, device };
  for (const file of await modulesIn(directory, log)) {
    try {
      const type = await within(LOAD_LIMIT_MS, clock, loadType(file, tools));
      if (!type) continue;
      tasks.register(type, { replace });
      log.info({ file, type: type.type }, "added a community task");
    } catch (err) {
      log.warn({ err, file }, "left out a community task");
    }
  }
}

async function modulesIn(directory: string, log: Logger): Promise<string[]> {
  try {
    const entries = await readdir(directory, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && MODULE.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter(
        (file) =>
          !relative(directory, file)
            .split(sep)
            .some((part) => LEFT_OUT.test(part)),
      )
      .sort();
  } catch (err) {
    log.warn({ err, directory }, "there are no community tasks");
    return [];
  }
}

async function loadType(file: string, tools: CommunityTools): Promise<TaskType | undefined> {
  const module = (await import(pathToFileURL(file).href)) as CommunityModule;
  if (module.discover === false) return undefined;
  if (typeof module.default !== "function")
    throw new ScanError("invalid", "the module does not export a function as its default");
  const type = (await (module.default as (given: CommunityTools) => unknown)(tools)) as
    | Partial<TaskType>
    | undefined;
  // Made by `defineTask`, which has checked its name.
  if (typeof type?.type !== "string" || typeof type.prepare !== "function")
    throw new ScanError("invalid", "the module's function does not return what defineTask made");
  return type as TaskType;
}

async function within<T>(ms: number, clock: Clock, work: Promise<T>): Promise<T> {
  let cancel = () => {};
  const late = new Promise<never>((_, reject) => {
    cancel = clock.after(ms, () =>
      reject(new ScanError("timeout", `it was not loaded within ${ms / 1000} s`)),
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    cancel();
  }
}
