import { expect, test } from "vitest";
import { Tokens } from "./tokens.js";

const control = "control-token-0123456789";
const view = "view-token-0123456789";

test("each token has its scope, and nothing like it has one", () => {
  const tokens = new Tokens({ token: control, viewToken: view });
  expect(tokens.scopes).toEqual(["control", "view"]);
  expect(tokens.scopeOf(control)).toBe("control");
  expect(tokens.scopeOf(view)).toBe("view");
  for (const wrong of [
    "",
    control.slice(1),
    `${control} `,
    control.toUpperCase(),
    control + view,
    "undefined",
  ])
    expect(tokens.scopeOf(wrong), wrong).toBeUndefined();
});

test("nothing configured is no token", () => {
  expect(new Tokens({}).scopes).toEqual([]);
  expect(new Tokens({ token: control }).scopes).toEqual(["control"]);
});
