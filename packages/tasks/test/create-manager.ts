import type { Task } from "@openscan/protocol";
import { FakeClock, recordingLogger } from "@openscan/runtime/testing";
import { z } from "zod";
import {
  defineTask,
  parameters,
  type TaskEvent,
  TaskManager,
  type TaskManagerOptions,
} from "../src/index.js";
import { historyProblem, MemoryTaskStore } from "../src/testing.js";

const script = z.strictObject({
  steps: z.number().default(2),
  /** Duration of each step. */
  ms: z.number().default(100),
  /** Duration of the cleanup, which no abort shortens. */
  cleanupMs: z.number().default(0),
  fail: z.string().optional(),
  /** Whether the steps go on after an abort. */
  deaf: z.boolean().default(false),
});

type Kind = Partial<
  Pick<Parameters<typeof defineTask>[0], "concurrency" | "lane" | "preemptible" | "redact">
>;

/** A task that sleeps through its steps, reports each, and cleans up. */
export function scripted(type: string, kind: Kind = {}, trace: string[] = []) {
  return defineTask({
    type,
    concurrency: "concurrent",
    ...kind,
    input: parameters(script),
    async *run({ steps, ms, cleanupMs, fail, deaf }, { clock, signal, id }) {
      trace.push(`${id} begins`);
      try {
        for (let current = 1; current <= steps; current++) {
          await clock.sleep(ms, deaf ? undefined : signal);
          yield { current, total: steps, message: `step ${current}` };
        }
        if (fail) throw new Error(fail);
        return { steps };
      } finally {
        await clock.sleep(cleanupMs);
        trace.push(`${id} ends`);
      }
    },
  });
}

/** A manager with counted ids (`t1`, `t2`, …), a clock that stands still and a store in memory. */
export function createManager(options: Partial<TaskManagerOptions> = {}) {
  const clock = new FakeClock();
  const log = recordingLogger();
  const store = new MemoryTaskStore();
  const trace: string[] = [];
  let count = 0;
  const manager = new TaskManager({
    types: [
      scripted("concurrent_task", {}, trace),
      scripted("exclusive_task", { concurrency: "exclusive" }, trace),
      scripted("upload_task", { lane: "network" }, trace),
      scripted("endless_task", { preemptible: true }, trace),
    ],
    store,
    clock,
    log,
    newId: () => `t${++count}`,
    ...options,
  });
  const events: TaskEvent[] = [];
  manager.events.on((event) => events.push(event));
  const history = (id: string) => events.filter((event) => idOf(event) === id);
  return {
    manager,
    clock,
    log,
    store,
    trace,
    events,
    /** The events of one task in short, e.g. `running 1/2 step 1`; fails when their sequence is not allowed. */
    told(id: string): string[] {
      const problem = historyProblem(history(id));
      if (problem) throw new Error(`${id}: ${problem}`);
      return history(id).map((event) => (event.type === "deleted" ? "deleted" : inShort(event.task)));
    },
    history,
    statuses: () => Object.fromEntries(manager.list().map(({ id, status }) => [id, status])),
  };
}

export function idOf(event: TaskEvent): string {
  return event.type === "deleted" ? event.id : event.task.id;
}

function inShort({ status, progress: { current, total, message }, completed_at }: Task): string {
  const end = completed_at === null ? "" : " (ended)";
  return `${status} ${current}/${total} ${message}`.trimEnd() + end;
}
