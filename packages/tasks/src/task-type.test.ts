import { ScanError } from "@openscan/protocol";
import { expect, test } from "vitest";
import { z } from "zod";
import { parameters } from "./parameters.js";
import { defineTask } from "./task-type.js";

const input = parameters(z.strictObject({ steps: z.number().default(5), delay: z.number().default(0.1) }));

test.each<[unknown[], Record<string, unknown>, object]>([
  [[], {}, { steps: 5, delay: 0.1 }],
  [[7], {}, { steps: 7, delay: 0.1 }],
  [[7], { delay: 2 }, { steps: 7, delay: 2 }],
  [[7, 2], {}, { steps: 7, delay: 2 }],
])("parameters %j and %j are %j", (args, kwargs, expected) => {
  expect(input(args, kwargs)).toEqual(expected);
});

test.each<[unknown[], Record<string, unknown>, RegExp]>([
  [[1, 2, 3], {}, /at most 2 positional arguments, not 3/],
  [[1], { steps: 2 }, /"steps" is given by position and by name/],
  [["many"], {}, /steps/],
  [[], { speed: 1 }, /speed/],
])("parameters %j and %j are invalid", (args, kwargs, message) => {
  expect(() => input(args, kwargs)).toThrow(
    expect.objectContaining({ code: "invalid", message: expect.stringMatching(message) }),
  );
});

const parts = { concurrency: "concurrent", input: () => undefined, run: async () => undefined } as const;

test.each(["scan", "Scan_task", "_task", "1_task", "scan_task2", ""])("%j is no name of a type", (type) => {
  expect(() => defineTask({ ...parts, type })).toThrow(expect.objectContaining({ code: "invalid" }));
});

test("a type has the scanner's lane, is not preemptible and hides nothing, unless it says so", () => {
  const type = defineTask({ ...parts, type: "a_task" });
  expect(type).toMatchObject({ lane: "scanner", preemptible: false });
  expect(type.redact([1], { a: 2 })).toEqual({ args: [1], kwargs: { a: 2 } });
});

test("what an input throws is invalid arguments, a ScanError is kept", () => {
  const failing = (error: Error) =>
    defineTask({
      ...parts,
      type: "a_task",
      input: () => {
        throw error;
      },
    });
  expect(() => failing(new TypeError("no member")).prepare([], {})).toThrow(
    expect.objectContaining({ code: "invalid", message: "arguments of a_task: TypeError: no member" }),
  );
  const own = new ScanError("not_found", "no camera x");
  expect(() => failing(own).prepare([], {})).toThrow(own);
});
