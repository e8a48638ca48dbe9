import { expect, test } from "vitest";
import { detailText } from "./request-error.js";

test.each([
  ["a string", { detail: "Motor not found: x" }, "Motor not found: x"],
  [
    "an object",
    { detail: { message: "Device configuration is not loaded.", errors: [] } },
    "Device configuration is not loaded.",
  ],
  [
    "a list",
    {
      detail: [
        { loc: ["body", "points"], msg: "too many" },
        { loc: ["query", "x"], msg: "missing" },
      ],
    },
    "body.points: too many; query.x: missing",
  ],
  ["plain text", "Internal Server Error\n", "Internal Server Error"],
  ["a message", { message: "upstream failed" }, "upstream failed"],
  ["another object", { detail: { code: 7 } }, '{"code":7}'],
  ["odd list entries", { detail: ["x", null] }, '"x"; null'],
  ["nothing", undefined, "Bad Gateway"],
  ["an empty text", "", "Bad Gateway"],
])("the detail of %s", (_name, body, expected) => {
  expect(detailText(body, "Bad Gateway")).toBe(expected);
});
