import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { ScanError, Task } from "@openscan/protocol";
import type { Logger } from "@openscan/runtime";
import { removeUnfinishedWrites, writeFileAtomic } from "@openscan/runtime/atomic-file";

/** A task as it is stored: the arguments are left out when they have no JSON form. */
export type StoredTask = Omit<Task, "run_args" | "run_kwargs"> &
  Partial<Pick<Task, "run_args" | "run_kwargs">>;

/** Where task records survive the process. The manager never runs two calls for one task at once. */
export interface TaskStore {
  /** All readable records; the others are logged, skipped and left where they are. */
  load(): Promise<Task[]>;
  save(task: StoredTask): Promise<void>;
  /** Removes a record; that it does not exist is no error. */
  remove(id: string): Promise<void>;
}

const SUFFIX = ".json";
const SAFE_ID = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

/** One file `<id>.json` per task in the given directory, always replaced as a whole. */
export class FileTaskStore implements TaskStore {
  readonly #directory: string;
  readonly #log: Logger;

  constructor({ directory, log }: { directory: string; log: Logger }) {
    this.#directory = directory;
    this.#log = log;
  }

  async load(): Promise<Task[]> {
    await mkdir(this.#directory, { recursive: true });
    await removeUnfinishedWrites(this.#directory, this.#log);
    const names = (await readdir(this.#directory)).filter((name) => name.endsWith(SUFFIX));
    const tasks: Task[] = [];
    for (const name of names.sort()) {
      const task = await this.#read(name);
      if (task) tasks.push(task);
    }
    return tasks;
  }

  async save(task: StoredTask): Promise<void> {
    const path = this.#path(task.id);
    await mkdir(this.#directory, { recursive: true });
    await writeFileAtomic(path, `${JSON.stringify(task, null, 2)}\n`);
  }

  async remove(id: string): Promise<void> {
    if (SAFE_ID.test(id)) await rm(this.#path(id), { force: true });
  }

  async #read(name: string): Promise<Task | undefined> {
    try {
      const task = Task.parse(JSON.parse(await readFile(join(this.#directory, name), "utf8")));
      if (task.id + SUFFIX === name && SAFE_ID.test(task.id)) return task;
      this.#log.warn({ file: name, id: task.id }, "skipped a task file whose name is not its task's id");
    } catch (err) {
      this.#log.warn({ file: name, err }, "skipped an unreadable task file");
    }
    return;
  }

  /** Ids come from URLs: one that is not a plain name must not reach the file system. */
  #path(id: string): string {
    if (!SAFE_ID.test(id)) throw new ScanError("invalid", `"${id}" is not a task id`);
    return join(this.#directory, id + SUFFIX);
  }
}
