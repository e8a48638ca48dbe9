import { isDeepStrictEqual } from "node:util";
import type { LiveTask } from "@openscan/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Happening, messageMaker, taskEvent } from "../test/messages.js";
import { parseFrames, type Received } from "../test/rig.js";
import { noCounts } from "./counters.js";
import { History } from "./history.js";
import { defaultLimits } from "./limits.js";
import type { Message } from "./message.js";
import { Stream, type StreamSource } from "./stream.js";
import { Turn } from "./turn.js";

type Step =
  | { readonly do: "publish"; readonly happenings: readonly Happening[]; readonly size: number }
  | { readonly do: "take"; readonly pieces: number }
  | { readonly do: "wait"; readonly ms: number };

const happening: fc.Arbitrary<Happening> = fc.record({
  what: fc.constantFrom("progress", "progress", "progress", "pause", "end", "deleted" as const),
  id: fc.constantFrom("a", "b", "c"),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("publish" as const),
    happenings: fc.array(happening, { minLength: 1, maxLength: 4 }),
    size: fc.constantFrom(0, 0, 0, 700),
  }),
  fc.record({ do: fc.constant("take" as const), pieces: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(10, 100, 6_000) }),
);

/** A namespace of tasks, one stream of it, and a client that takes what it is given. */
class Scene implements StreamSource {
  readonly limits = { ...defaultLimits, mergeBytes: 2_000, pendingBytes: 6_000 };
  readonly counters = noCounts();
  readonly all: Message[] = [];
  readonly received: Received[] = [];
  readonly stream: Stream;
  readonly history = new History(defaultLimits);
  readonly #tasks = new Map<string, LiveTask>();
  readonly #make = messageMaker("tasks");
  #now = 0;

  constructor(intervalMs: number) {
    this.stream = new Stream(this, "v1", { min_interval: intervalMs });
    this.stream.start();
  }

  get head(): number {
    return this.all.length;
  }

  get tasks(): LiveTask[] {
    return [...this.#tasks.values()];
  }

  restate(_: unknown, __: unknown, prev: number | null): string[] {
    return [
      JSON.stringify({ type: "tasks.snapshot", snapshot: true, tasks: this.tasks, seq: this.head, prev }),
    ];
  }

  run(step: Step, hasRoom: boolean): void {
    if (step.do === "wait") this.#now += step.ms;
    if (step.do === "take") for (let piece = 0; piece < step.pieces; piece++) this.#take();
    if (step.do === "publish") this.#publish(step.happenings, step.size, hasRoom);
  }

  /** As a socket that drains does. */
  drain(): void {
    this.stream.release();
    while (this.#take()) this.stream.release();
  }

  #publish(happenings: readonly Happening[], size: number, hasRoom: boolean): void {
    const turn = new Turn();
    for (const happening of happenings) {
      const event = taskEvent(happening, this.all.length, size);
      if (event.type === "task.update") this.#tasks.set(event.task.id, event.task);
      if (event.type === "task.deleted") this.#tasks.delete(event.id);
      const message = this.#make(event);
      this.all.push(message);
      this.history.append(message);
      turn.push(message);
    }
    const frames = this.stream.deliver(turn, hasRoom, this.#now);
    if (frames) this.#receive(frames);
  }

  #take(): boolean {
    const frames = this.stream.next(this.#now);
    if (frames) this.#receive(frames);
    return frames !== undefined;
  }

  #receive(frames: Buffer): void {
    for (const { payload } of parseFrames(frames))
      this.received.push(JSON.parse(payload.toString()) as Received);
  }
}

/** What a client knows that has received `messages`. */
function fold(messages: readonly Pick<Received, "type" | "snapshot" | "tasks" | "task" | "id">[]) {
  const state = new Map<string, LiveTask>();
  for (const { type, snapshot, tasks = [], task, id = "" } of messages) {
    if (snapshot) state.clear();
    for (const task of tasks) state.set(task.id, task);
    if (task) state.set(task.id, task);
    if (type === "task.deleted") state.delete(id);
  }
  // By id: a task that was deleted and told again may stand elsewhere in the list.
  return [...state.values()].toSorted((a, b) => a.id.localeCompare(b.id));
}

/** Everything that a client relies on. */
function check({ received, all, tasks, counters, history }: Scene): void {
  const problems: unknown[] = [];
  const facts: number[] = [];
  let last: number | null = null;
  for (const message of received) {
    const { seq = 0, prev, snapshot } = message;
    if (prev !== last || (last !== null && seq <= last)) problems.push([last, message]);
    last = seq;
    if (snapshot) continue;
    const published = all[seq - 1];
    const { seq: _, prev: __, ts: ___, ...event } = message;
    if (!isDeepStrictEqual(event, published?.event)) problems.push([published?.event, message]);
    if (published?.key === undefined) facts.push(seq);
  }
  expect(problems).toEqual([]);
  const began = received[0]?.seq ?? 0;
  expect(facts).toEqual(all.filter(({ key, seq }) => key === undefined && seq > began).map(({ seq }) => seq));
  const whole = tasks.toSorted((a, b) => a.id.localeCompare(b.id));
  expect(fold(received)).toEqual(whole);
  expect(received.filter(({ snapshot }) => snapshot)).toHaveLength(counters.snapshots);
  // Wherever the connection is cut, a resume leads to the same.
  const cuts = received.map(({ seq = 0 }, index) => {
    const replay: Received[] = history.since(seq, undefined, 0)?.map(({ event }) => event) ?? [];
    return fold(received.slice(0, index + 1).concat(replay));
  });
  expect(cuts.filter((state) => !isDeepStrictEqual(state, whole))).toEqual([]);
}

test.each([0, 100])(
  "however slow a client is (min_interval %i): the chain holds, facts come in order, the state ends right",
  (intervalMs) => {
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 40 }), (steps) => {
        const scene = new Scene(intervalMs);
        scene.run({ do: "take", pieces: 1 }, true);
        let queued = 0;
        for (const [step, hasRoom] of steps) {
          scene.run(step, hasRoom);
          queued = Math.max(queued, scene.stream.bytes);
          if (scene.stream.isTooSlow) return;
        }
        scene.drain();
        check(scene);
        // The limit, and what one turn adds.
        expect(queued).toBeLessThan(scene.limits.pendingBytes + 6_000);
      }),
      { numRuns: 2_000 },
    );
  },
);

const progress = (id: string): Happening => ({ what: "progress", id });
const publish = (...happenings: Happening[]): Step => ({ do: "publish", happenings, size: 0 });

function behind(publishes: number, ...happenings: Happening[]): Scene {
  const scene = new Scene(0);
  scene.run({ do: "take", pieces: 1 }, true);
  for (let count = 0; count < publishes; count++) scene.run(publish(...happenings), false);
  return scene;
}

test("below the first limit nothing is merged", () => {
  const scene = behind(4, progress("a"));
  scene.drain();
  expect(scene.counters.merged).toBe(0);
  expect(scene.received).toHaveLength(1 + 4);
  check(scene);
});

test("defect 19: above the first limit state is merged per key, what waits already included", () => {
  const scene = behind(100, progress("a"), progress("b"), { what: "deleted", id: "c" });
  expect(scene.counters.merged).toBe(2 * 99);
  scene.drain();
  expect(scene.counters).toMatchObject({ dropped: 0, snapshots: 1 });
  check(scene);
});

test("above the second limit the facts come, with the newest state between, then one snapshot", () => {
  const scene = behind(9, progress("a"), { what: "pause", id: "a" }, { what: "end", id: "b" });
  scene.run(publish(progress("c")), false);
  scene.drain();
  const told = scene.received.slice(1).map(({ task, snapshot }) => (snapshot ? "all" : task?.id));
  expect(told.filter((what) => what !== "c")).toEqual([..."b".repeat(8), "a", "b", "all"]);
  expect(scene.received.at(-1)).toMatchObject({ snapshot: true, seq: scene.head, prev: expect.any(Number) });
  check(scene);
});

test("so it is after 5 s behind, with whatever waits", () => {
  const scene = behind(1, progress("a"), { what: "end", id: "b" });
  scene.run({ do: "wait", ms: 5_000 }, false);
  scene.run(publish(progress("a")), false);
  expect(scene.counters.merged).toBe(0);
  scene.run({ do: "wait", ms: 1 }, false);
  scene.drain();
  expect(scene.received.slice(1).map(({ task, snapshot }) => (snapshot ? "all" : task?.id))).toEqual([
    "b",
    "all",
  ]);
  check(scene);
});

test("without facts, only the snapshot comes", () => {
  const scene = behind(1, progress("a"), progress("b"));
  scene.run({ do: "wait", ms: 5_001 }, false);
  scene.drain();
  expect(scene.received.slice(1)).toMatchObject([{ snapshot: true, seq: 2, prev: 0 }]);
  expect(scene.counters.dropped).toBe(2);
  check(scene);
});

test("facts above the second limit are too slow, with the state of tasks that come and go; state alone never is", () => {
  expect(behind(1_000, progress("a"), { what: "pause", id: "a" }).stream.isTooSlow).toBe(false);
  expect(behind(100, { what: "end", id: "a" }).stream.isTooSlow).toBe(true);
  const comingAndGoing = Array.from({ length: 20 }, (_, id): Happening[] => [
    progress(`${id}`),
    { what: "deleted", id: `${id}` },
  ]);
  expect(behind(1, ...comingAndGoing.flat()).stream.bytes).toBeGreaterThan(6_000);
  expect(behind(1, ...comingAndGoing.flat()).stream.isTooSlow).toBe(true);
});

test("facts that end with the newest event have told everything: no snapshot follows", () => {
  const scene = behind(1, progress("a"), progress("b"), progress("a"), { what: "end", id: "c" });
  scene.run({ do: "wait", ms: 5_001 }, false);
  scene.drain();
  expect(scene.received.slice(1).map(({ task, seq }) => [task?.id, seq])).toEqual([
    ["b", 2],
    ["a", 3],
    ["c", 4],
  ]);
  check(scene);
  scene.run(publish(progress("a")), true);
  expect(scene.received.at(-1)).toMatchObject({ seq: 5, prev: 4 });
});
