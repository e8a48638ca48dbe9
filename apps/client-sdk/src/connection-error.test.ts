import { expect, test } from "vitest";
import { closedError } from "./connection-error.js";

test.each([4401, 4403, 4406])("%i is final", (code) => {
  expect(closedError("ws://x", code, "")).toMatchObject({ final: true, closeCode: code });
});

test.each([1000, 1001, 1006, 1012, 1013, 4008, 4009])("%i is not", (code) => {
  expect(closedError("ws://x", code, "")).toMatchObject({ final: false, gap: false, closeCode: code });
});

test.each([
  ['{"retry_after_ms":1500}', 1500],
  ['{ "why": "update", "retry_after_ms" : 12.5 }', 12],
  ['{"retry_after_ms":99999999999}', 300_000],
  ['{"retry_after_ms":-5}', undefined],
  ['{"retry_after_ms":"5"}', undefined],
  ["service restart", undefined],
  ["", undefined],
])("reason %s asks for %s ms", (reason, expected) => {
  expect(closedError("ws://x", 1012, reason).retryAfterMs).toBe(expected);
});

test("the message says what closed and why", () => {
  expect(closedError("ws://x/ws/tasks", 4401, "unauthorised").message).toBe(
    "ws://x/ws/tasks closed with 4401 unauthorised",
  );
  expect(closedError("ws://x", 1006, "").message).toBe("ws://x closed with 1006");
});
