import { expect, test } from "vitest";
import { ErrorBody, errorCodes, ScanError } from "./errors.js";

test("an error keeps its code, its cause and what the client is told", () => {
  const cause = new Error("EIO");
  const error = new ScanError("hardware_fault", "motor rotor: no answer", { cause });
  expect(error).toMatchObject({
    code: "hardware_fault",
    message: "motor rotor: no answer",
    detail: "motor rotor: no answer",
    cause,
  });
  expect(new ScanError("offline", "x", { detail: { message: "y" } }).detail).toEqual({ message: "y" });
});

test("every code has an error status, and only what may pass by itself is worth a retry", () => {
  for (const { status } of Object.values(errorCodes)) expect(status).toBeGreaterThanOrEqual(400);
  const retryable = Object.entries(errorCodes).filter(([, { retry }]) => retry);
  expect(retryable.map(([code]) => code)).toEqual(["busy", "too_many", "offline", "timeout", "bad_gateway"]);
});

test("an error body is a text, a list of problems or an object", () => {
  const problem = { type: "missing", loc: ["body", "degrees", 0], msg: "Field required", input: null };
  for (const detail of ["text", [problem], { message: "text" }])
    expect(ErrorBody.parse({ detail })).toEqual({ detail });
});
