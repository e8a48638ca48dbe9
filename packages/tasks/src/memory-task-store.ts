import { Task } from "@openscan/protocol";
import type { StoredTask, TaskStore } from "./task-store.js";

/** A store for tests; `writes` tells in which order what was stored. */
export class MemoryTaskStore implements TaskStore {
  readonly files = new Map<string, StoredTask>();
  readonly writes: StoredTask[] = [];

  async load(): Promise<Task[]> {
    return [...this.files.values()].map((task) => Task.parse(structuredClone(task)));
  }

  async save(task: StoredTask): Promise<void> {
    this.files.set(task.id, task);
    this.writes.push(task);
  }

  async remove(id: string): Promise<void> {
    this.files.delete(id);
  }
}
