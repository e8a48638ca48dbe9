import { expect, test } from "vitest";
import { runSchedule } from "./support/continuity/run-schedule.js";
import type { Happening } from "./support/continuity/scanner.js";
import { type Schedule, unlimited } from "./support/continuity/schedule.js";
import type { Tamper } from "./support/continuity/viewer.js";

/*
 * The property of continuity-*.property.test.ts must be able to fail. Here somebody between the hub and the SDK
 * changes messages so cleverly that every seq and prev fits.
 */

interface Message {
  readonly type: string;
  readonly seq?: number;
  readonly prev?: number | null;
  readonly last?: number;
  readonly [member: string]: unknown;
}

const publish = (...whats: readonly Happening["what"][]) =>
  ({ do: "publish", happenings: whats.map((what) => ({ what, target: 0, padding: 0 })) }) as const;
const wait = { do: "wait", ms: 100 } as const;

const schedule: Schedule = {
  clients: [
    { namespace: "tasks", latencyMs: 1, capacity: 1_000_000, browser: false, slowLoop: false },
    { namespace: "device", latencyMs: 1, capacity: 1_000_000, browser: true, slowLoop: true },
  ],
  hub: {
    mergeBytes: 100_000,
    pendingBytes: 1_000_000,
    historyEvents: unlimited,
    historyBytes: 500_000,
    historyAgeMs: unlimited,
  },
  steps: [
    wait,
    publish("create", "start", "photo", "move", "fault"),
    wait,
    publish("progress", "photo", "end", "move", "fault", "light"),
    wait,
    { do: "cut all", witness: "both" },
    publish("photo", "create", "fault", "move"),
  ],
  random: 1,
};

/** Takes the second fact out of the chain. */
const removesFact: Tamper = () => {
  let facts = 0;
  let prev: number | null | undefined;
  return (text) => {
    const message = JSON.parse(text) as Message;
    if (isFact(message) && ++facts === 2) {
      prev = message.prev;
      return [];
    }
    const tampered =
      prev === undefined ? message : { ...message, ...(message.last ? { last: prev } : { prev }) };
    if (message.seq !== undefined) prev = undefined;
    return [JSON.stringify(tampered)];
  };
};

/** Says every fact twice, and renumbers what follows. */
const repeatsFacts: Tamper = () => {
  let shift = 0;
  const shifted = ({ seq, prev, last, ...message }: Message): Message => ({
    ...message,
    ...(seq === undefined ? {} : { seq: seq + shift }),
    ...(prev === undefined ? {} : { prev: prev === null ? null : prev + shift }),
    ...(last === undefined ? {} : { last: last + shift }),
  });
  return (text) => {
    const message = JSON.parse(text) as Message;
    if (message.type === "hello") return [text];
    const first = shifted(message);
    if (!isFact(message)) return [JSON.stringify(first)];
    shift++;
    return [first, { ...shifted(message), prev: first.seq }].map((one) => JSON.stringify(one));
  };
};

/** Exchanges what two facts in a row say. */
const exchangesFacts: Tamper = () => {
  let held: Message | undefined;
  return (text) => {
    const message = JSON.parse(text) as Message;
    if (held && isFact(message)) {
      const first = held;
      held = undefined;
      return [
        { ...message, seq: first.seq, prev: first.prev },
        { ...first, seq: message.seq, prev: message.prev },
      ].map((one) => JSON.stringify(one));
    }
    if (!held && isFact(message)) {
      held = message;
      return [];
    }
    const before = held ? [JSON.stringify(held)] : [];
    held = undefined;
    return [...before, text];
  };
};

/** Alters what a message says about the state. */
const altersState: Tamper = () => (text) => [text.replace(/"(busy|is_exclusive)":(true|false)/, '"$1":null')];

/** Claims that a resume leaves nothing out, and leaves everything out. */
const pretendsToResume: Tamper = () => {
  let resumed = false;
  return (text) => {
    const message = JSON.parse(text) as Message;
    const { resume } = message as { readonly resume?: { readonly recovered: boolean | null } };
    if (resume) resumed = resume.recovered === true;
    if (resumed && message.type === "ping") return [JSON.stringify({ ...message, last: null })];
    return resumed && message.seq !== undefined && !resume ? [] : [text];
  };
};

function isFact({ type, task }: Message): boolean {
  if (type === "task.update") return (task as { readonly status: string }).status !== "running";
  return ["photo.captured", "device.fault"].includes(type);
}

test("nothing is wrong as long as nobody tampers", async () => {
  const { problems, counts } = await runSchedule(schedule);
  expect(problems).toEqual([]);
  expect(counts).toMatchObject({ recovered: 2, lost: 0, told: 9 });
});

test.each([
  ["a fact vanishes without a gap", removesFact, /was not told before/],
  ["facts come twice", repeatsFacts, /a fact again/],
  ["facts change places", exchangesFacts, /was not told before/],
  ["state is altered", altersState, / is not /],
  ["a resume leaves everything out", pretendsToResume, /it is resyncing/],
])("it is found out when %s", async (_, tamper, problem) => {
  const { problems } = await runSchedule(schedule, tamper);
  expect(problems.join("\n")).toMatch(problem);
});
