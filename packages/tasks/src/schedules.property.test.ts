import { legacyTask, ScanError, type Task, terminalStatuses } from "@openscan/protocol";
import { FakeClock } from "@openscan/runtime/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { createManager, idOf } from "../test/create-manager.js";
import { fakeThreads } from "../test/fake-thread.js";
import {
  type Concurrency,
  defineTask,
  defineWorkerTask,
  type LaneName,
  type TaskEvent,
  type TaskManager,
  type TaskType,
} from "./index.js";
import { historyProblem } from "./testing.js";

const runs = Number(process.env["FC_RUNS"] ?? 3000);
const limits = { concurrent: 2, worker: 2 };

interface Script {
  readonly steps: number;
  readonly ms: number;
  readonly cleanupMs: number;
  readonly fails: boolean;
  /** Goes on after an abort until its next yield. */
  readonly deaf: boolean;
}
type Operation =
  | { readonly act: "create"; readonly type: number; readonly script: Script }
  | { readonly act: "cancel" | "pause" | "resume" | "restart" | "delete"; readonly target: number }
  | { readonly act: "advance"; readonly ms: number }
  | { readonly act: "microtasks"; readonly count: number };

const script = fc.record<Script>({
  steps: fc.nat(3),
  ms: fc.nat(40),
  cleanupMs: fc.constantFrom(0, 0, 15, 60),
  fails: fc.boolean(),
  deaf: fc.boolean(),
});
const create = fc.record({ act: fc.constant("create" as const), type: fc.nat(6), script });
const control = fc.record({
  act: fc.constantFrom("cancel", "cancel", "pause", "resume", "restart", "delete" as const),
  target: fc.nat(9),
});
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { arbitrary: create, weight: 5 },
  { arbitrary: control, weight: 6 },
  { arbitrary: fc.record({ act: fc.constant("advance" as const), ms: fc.nat(50) }), weight: 3 },
  { arbitrary: fc.record({ act: fc.constant("microtasks" as const), count: fc.nat(8) }), weight: 2 },
);
/** What a listener does in the middle of the event with this number. */
const reactions = fc.dictionary(fc.nat(30).map(String), fc.oneof(create, control), { maxKeys: 3 });

const schedule = fc.record({
  operations: fc.array(operation, { minLength: 1, maxLength: 16 }),
  reactions,
  endsWithShutdown: fc.boolean(),
});

const nothing: Script = { steps: 0, ms: 0, cleanupMs: 0, fails: false, deaf: false };

/** Failed once, for the test's own sake: a listener pauses and resumes a task while the manager closes. */
const pausedWhileClosing: typeof schedule extends fc.Arbitrary<infer Value> ? Value : never = {
  operations: [
    { act: "create", type: 0, script: nothing },
    { act: "create", type: 4, script: { ...nothing, cleanupMs: 60 } },
    { act: "cancel", target: 0 },
    { act: "advance", ms: 0 },
    { act: "create", type: 4, script: nothing },
    { act: "create", type: 1, script: nothing },
    { act: "create", type: 1, script: nothing },
  ],
  reactions: { 11: { act: "pause", target: 4 }, 13: { act: "resume", target: 4 } },
  endsWithShutdown: true,
};

/** The bodies and threads that really run, and the types that make them. */
class Workshop {
  readonly clock = new FakeClock();
  readonly threads = fakeThreads(this.clock);
  readonly types: readonly TaskType[];
  /** What ran at once and must not. */
  readonly violations: string[] = [];
  readonly #busy: Record<LaneName, Concurrency[]> = { scanner: [], network: [], processor: [] };

  constructor() {
    this.types = [
      this.#body("exclusive_task", "exclusive", "scanner"),
      this.#body("concurrent_task", "concurrent", "scanner"),
      this.#body("endless_task", "concurrent", "scanner", true),
      this.#thread("worker_task", "scanner"),
      this.#body("network_exclusive_task", "exclusive", "network"),
      this.#body("network_concurrent_task", "concurrent", "network"),
      this.#thread("network_worker_task", "network"),
    ];
  }

  get idle(): boolean {
    return this.#busy.scanner.length + this.#busy.network.length + this.threads.alive() === 0;
  }

  #enter(lane: LaneName, kind: Concurrency): () => void {
    const busy = this.#busy[lane];
    busy.push(kind);
    const crowded = (["concurrent", "worker"] as const).some(
      (limited) => busy.filter((other) => other === limited).length > limits[limited],
    );
    // Thrown here it would only be the task's error.
    if (crowded || (busy.includes("exclusive") && busy.length > 1))
      this.violations.push(`${lane}: ${busy.join()}`);
    return () => void busy.splice(busy.indexOf(kind), 1);
  }

  #body(type: string, concurrency: Concurrency, lane: LaneName, preemptible = false): TaskType {
    const enter = () => this.#enter(lane, concurrency);
    return defineTask({
      type,
      concurrency,
      lane,
      preemptible,
      input: ([given]) => given as Script,
      async *run({ steps, ms, cleanupMs, fails, deaf }, { clock, signal, checkpoint }) {
        const leave = enter();
        try {
          for (let current = 1; current <= steps; current++) {
            await clock.sleep(ms, deaf ? undefined : signal);
            if (current === 2) await checkpoint();
            yield { current, total: steps, message: `step ${current}` };
          }
          if (fails) throw new Error("scripted");
        } finally {
          await clock.sleep(cleanupMs);
          leave();
        }
      },
    });
  }

  #thread(type: string, lane: LaneName): TaskType {
    return defineWorkerTask({
      type,
      lane,
      script: new URL("file:///worker.js"),
      graceMs: 30,
      input: ([given]) => given as Script,
      spawn: (url, input, listener) => {
        const leave = this.#enter(lane, "worker");
        const { cleanupMs, fails, ...rest } = input as Script;
        const threadScript = { ...rest, exitMs: cleanupMs, fail: fails ? "scripted" : undefined };
        return this.threads.spawn(url, threadScript, (event) => {
          if (event.type === "exit") leave();
          listener(event);
        });
      },
    });
  }
}

/** Follows the events of one lane: who waits in which order, and who has a slot. */
class LaneModel {
  readonly waiting: Task[] = [];
  readonly holding = new Map<string, Task>();

  follow(task: Task): void {
    const queued = this.waiting.findIndex(({ id }) => id === task.id);
    if (task.status === "pending") {
      this.waiting.push(task);
    } else if (queued >= 0) {
      if (task.status === "running") expect(queued, `${task.id} overtook ${this.waiting[0]?.id}`).toBe(0);
      this.waiting.splice(queued, 1);
      if (task.status === "running") this.holding.set(task.id, task);
    } else if (task.completed_at !== null) {
      this.holding.delete(task.id);
    }
  }

  /** A head that could start but waits was forgotten. */
  checkNobodyForgotten(): void {
    const [head] = this.waiting;
    if (!head) return;
    const holding = [...this.holding.values()];
    const same = holding.filter(
      ({ is_exclusive, is_blocking }) =>
        is_exclusive === head.is_exclusive && is_blocking === head.is_blocking,
    );
    const limit = head.is_blocking ? limits.worker : limits.concurrent;
    const blocked = head.is_exclusive
      ? holding.length > 0
      : holding.some(({ is_exclusive }) => is_exclusive) || same.length >= limit;
    expect(blocked, `${head.id} could start`).toBe(true);
  }

  /** An endless task must not keep an exclusive one waiting that came after it. */
  checkEndlessGaveWay(current: (id: string) => Task | undefined): void {
    const exclusive = this.waiting.findLastIndex(({ is_exclusive }) => is_exclusive);
    if (exclusive < 0) return;
    for (const { id, name } of [...this.holding.values(), ...this.waiting.slice(0, exclusive)]) {
      if (name === "endless_task") expect(current(id)?.status).toBe("cancelled");
    }
  }
}

class Models {
  readonly #lanes: Record<LaneName, LaneModel> = {
    scanner: new LaneModel(),
    network: new LaneModel(),
    processor: new LaneModel(),
  };
  readonly #manager: TaskManager;

  constructor(manager: TaskManager) {
    this.#manager = manager;
  }

  follow(event: TaskEvent): void {
    if (event.type === "updated") {
      this.#lanes[event.task.name.startsWith("network") ? "network" : "scanner"].follow(event.task);
    }
  }

  check(): void {
    for (const lane of Object.values(this.#lanes)) {
      lane.checkNobodyForgotten();
      lane.checkEndlessGaveWay((id) => this.#manager.get(id));
    }
  }

  checkEmpty(): void {
    for (const { waiting, holding } of Object.values(this.#lanes))
      expect([waiting.length, holding.size]).toEqual([0, 0]);
  }
}

test(`${runs} random schedules`, { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(schedule, async ({ operations, reactions: planned, endsWithShutdown }) => {
      const workshop = new Workshop();
      const { clock } = workshop;
      const { manager, events, store, log } = createManager({ types: workshop.types, clock, limits });
      const models = new Models(manager);
      const failures: unknown[] = [];
      const created: Promise<unknown>[] = [];
      let ids = 0;

      let closing = false;
      let draining = false;

      /** The only ways in which something may be refused at a random moment. */
      const refused = (error: unknown) => {
        const codes = closing ? ["conflict", "not_found", "offline"] : ["conflict", "not_found"];
        if (!(error instanceof ScanError && codes.includes(error.code))) failures.push(error);
      };
      const perform = (step: Operation): unknown => {
        if (step.act === "advance") return clock.advance(step.ms);
        if (step.act === "microtasks") return microtasks(step.count);
        if (step.act === "create") {
          ids++;
          created.push(manager.create(workshop.types[step.type]?.type ?? "", [step.script]).catch(refused));
          return;
        }
        const id = `t${1 + (step.target % Math.max(1, ids))}`;
        if (step.act === "delete") {
          created.push(manager.delete(id).catch(refused));
          return;
        }
        try {
          manager[step.act](id);
        } catch (error) {
          refused(error);
        }
      };

      const stopReacting = manager.events.on((event) => {
        // The emitter only logs what a listener throws.
        try {
          models.follow(event);
          if (event.type === "updated") checkReason(event.task, closing);
          const reaction = planned[events.length];
          // While all is brought to its end nothing is paused again.
          if (reaction && !(draining && reaction.act === "pause")) perform(reaction);
        } catch (failure) {
          failures.push(failure);
        }
      });

      for (const step of operations) {
        await perform(step);
        models.check();
        expect(failures).toEqual([]);
      }

      draining = true;
      closing = endsWithShutdown;
      if (closing) await clock.run(manager.close());
      while (manager.list().some(isUnfinished)) {
        for (const { id } of manager.list()) if (manager.get(id)) manager.resume(id);
        const unfinished = manager.list().filter(isUnfinished);
        await clock.run(Promise.all(unfinished.map(({ id }) => manager.ended(id))));
      }
      await Promise.all(created);

      expect(failures).toEqual([]);
      expect(workshop.violations).toEqual([]);
      expect(manager.list().every(({ status }) => terminalStatuses.has(status))).toBe(true);
      expect(workshop.idle).toBe(true);
      expect(clock.pending).toBe(0);
      for (const id of new Set(events.map(idOf))) {
        expect(historyProblem(events.filter((event) => idOf(event) === id)), id).toBeUndefined();
      }
      expect(new Map(store.files)).toEqual(
        new Map(manager.list().map((task) => [task.id, legacyTask(task)])),
      );
      const failed = events.flatMap((event) =>
        event.type === "updated" && event.task.status === "error" ? event.task : [],
      );
      // A failed task is worth a line; nothing else went wrong.
      expect(
        log.lines.flatMap(({ level, fields, message }) =>
          level === "error" ? [[fields["task"], fields["type"], message]] : [],
        ),
      ).toEqual(failed.map(({ id, name }) => [id, name, "a task failed"]));
      if (endsWithShutdown) return;
      models.checkEmpty();
      stopReacting();
      for (const type of ["exclusive_task", "network_exclusive_task"]) {
        expect(await manager.create(type, [nothing])).toMatchObject({ status: "running" });
      }
      await clock.run(manager.close());
    }),
    { numRuns: runs, examples: [[pausedWhileClosing]] },
  );
});

/** A body fails only as its script says, and nothing starts during a shutdown. */
function checkReason({ status, error, progress }: Task, closing: boolean): void {
  if (status === "error") expect(error).toBe("scripted");
  // A task that is resumed says so, one that goes on has reported something.
  if (closing && status === "running")
    expect(progress, "a start during the shutdown").not.toEqual({ current: 0, total: 0, message: "" });
}

function isUnfinished({ status, completed_at }: Task): boolean {
  return !terminalStatuses.has(status) || (status === "cancelled" && completed_at === null);
}

async function microtasks(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve();
}
