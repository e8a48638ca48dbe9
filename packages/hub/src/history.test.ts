import fc from "fast-check";
import { expect, test } from "vitest";
import { type Happening, messageMaker, taskEvent } from "../test/messages.js";
import { deviceEvent, taskEnded, taskUpdate } from "../test/rig.js";
import { Filter } from "./filter.js";
import { History } from "./history.js";
import { defaultLimits } from "./limits.js";
import type { Message } from "./message.js";

const numRuns = 2_000;
const id = fc.constantFrom("a", "b");
const happening: fc.Arbitrary<Happening> = fc.record({
  what: fc.constantFrom("progress", "progress", "progress", "pause", "end", "deleted" as const),
  id,
});
const ids = fc.option(fc.constantFrom<string[]>(["a"], ["b"], ["c"]), { nil: undefined });

/** What a client knows of each task: the newest state, and how often it has seen its status change. */
function told(messages: readonly Message[]) {
  const statuses = new Map<string, string[]>();
  const newest = new Map<string, unknown>();
  for (const { event } of messages) {
    if (!("task" in event)) continue;
    const { id, status } = event.task as { id: string; status: string };
    const known = statuses.get(id) ?? [];
    if (known.at(-1) !== status) statuses.set(id, [...known, status]);
    newest.set(id, event.task);
  }
  return { statuses, newest };
}

test("a replay has every fact in order, the newest state, every change of status, and nothing else", () => {
  fc.assert(
    fc.property(
      fc.array(happening, { maxLength: 30 }),
      fc.nat(35),
      fc.integer({ min: 1, max: 20 }),
      ids,
      (happenings, since, historyEvents, ids) => {
        const history = new History({ ...defaultLimits, historyEvents });
        const make = messageMaker("tasks");
        const all = happenings.map((happening, count) => make(taskEvent(happening, count)));
        for (const message of all) history.append(message);
        const filter = ids && Filter.of({ ids });
        const replay = history.since(since, filter, 0);
        const gap = all.length - since;
        expect(replay !== undefined).toBe(gap >= 0 && gap <= historyEvents);
        if (!replay) return;
        const missed = all.filter((message) => message.seq > since && (filter?.passes(message) ?? true));
        expect(replay.filter(({ key }) => key === undefined)).toEqual(
          missed.filter(({ key }) => key === undefined),
        );
        expect(told(replay).newest).toEqual(told(missed).newest);
        expect(told(replay).statuses).toEqual(told(missed).statuses);
        const seqs = replay.map(({ seq }) => seq);
        expect(seqs).toEqual([...new Set(seqs)].toSorted((a, b) => a - b));
        for (const message of replay) expect(missed).toContain(message);
      },
    ),
    { numRuns },
  );
});

const changed = fc.option(fc.subarray(["motors.a.angle", "motors.b.angle", "lights.c"], { minLength: 1 }), {
  nil: null,
  freq: 10,
});
const paths = fc.option(fc.constantFrom<string[]>(["motors"], ["lights.c.is_on"], ["motors.*.angle", "x"]), {
  nil: undefined,
});

test("a replay of the device is one full status with all that passed the filter", () => {
  fc.assert(
    fc.property(fc.array(changed, { maxLength: 15 }), fc.nat(15), paths, (changes, since, paths) => {
      const history = new History(defaultLimits);
      const make = messageMaker("device");
      const all = changes.map((changed, count) => make(deviceEvent(count, changed)));
      for (const message of all) history.append(message);
      const filter = paths && Filter.of({ paths });
      const replay = history.since(since, filter, 0);
      const missed = all.slice(since).filter((message) => filter?.passes(message) ?? true);
      expect(replay?.length).toBe(since > all.length ? undefined : Math.min(missed.length, 1));
      const [status] = replay ?? [];
      if (!status) return;
      expect(status.seq).toBe(all.length);
      expect(status.event).toMatchObject({ device: { scan_radius_mm: all.length - 1 } });
      const union = new Set(missed.flatMap(({ changed }) => changed ?? []));
      const anything = missed.some(({ changed }) => changed === null);
      expect(status.changed && new Set(status.changed)).toEqual(anything ? null : union);
    }),
    { numRuns },
  );
});

test("count, bytes and age bound what is kept, and a resume within the bounds never fails", () => {
  const limits = { ...defaultLimits, historyEvents: 10, historyBytes: 5_000, historyAgeMs: 100 };
  const step = fc.record({ size: fc.constantFrom(0, 500, 3_000, 10_000), wait: fc.nat(40) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), fc.nat(30), fc.nat(120), (steps, since, wait) => {
      let now = 0;
      const history = new History(limits);
      const make = messageMaker("tasks", () => now);
      const all: Message[] = [];
      for (const { size, wait } of steps) {
        now += wait;
        const message = make({ ...taskEnded(1, size) });
        all.push(message);
        history.append(message);
      }
      now += wait;
      const missed = all.slice(since);
      const bytes = missed.reduce((sum, message) => sum + message.size("v1"), 0);
      const fits =
        since <= all.length &&
        missed.length <= limits.historyEvents &&
        bytes <= limits.historyBytes &&
        missed.every(({ at }) => now - at <= limits.historyAgeMs);
      expect(history.since(since, undefined, now)).toEqual(fits ? missed : undefined);
    }),
    { numRuns },
  );
});

test("state that is superseded a million times takes no room", () => {
  const history = new History(defaultLimits);
  const make = messageMaker("tasks");
  const fact = make(taskEnded(0));
  history.append(fact);
  for (let count = 0; count < defaultLimits.historyEvents - 1; count++)
    history.append(make(taskUpdate(count)));
  const replay = history.since(0, undefined, 0);
  expect(replay?.map(({ seq }) => seq)).toEqual([1, defaultLimits.historyEvents]);
  history.append(make(taskUpdate(0)));
  expect(history.since(0, undefined, 0)).toBeUndefined();
});
