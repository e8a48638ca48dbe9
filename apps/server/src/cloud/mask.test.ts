import { expect, test } from "vitest";
import { mask, masking } from "./mask.js";

test.each([
  ["", "(empty)"],
  ["abcd", "***"],
  ["abcde", "***bcde"],
  ["a-long-token-1234", "***1234"],
  ["tokn🔑🔑", "***kn🔑🔑"],
])("the mask of %j is %j", (secret, shown) => {
  expect(mask(secret)).toBe(shown);
});

test.each([
  ["GET /x?token=abcdefgh&project=p failed", "GET /x?token=***efgh&project=p failed"],
  ["token=abc", "token=***"],
  ["(token=abcdefgh)\nTOKEN=ijklmnop", "(token=***fgh)\nTOKEN=***mnop"],
  ["token=***efgh", "token=***efgh"],
  ["no secret at all", "no secret at all"],
])("token parameters of any text are masked: %j", (text, shown) => {
  expect(masking([]).text(text)).toBe(shown);
});

test("known secrets are masked wherever they are, also encoded for a URL", () => {
  const { text, value } = masking(["s3cret/token+1", "pa"]);
  expect(text("bad account s3cret/token+1, s3cret%2Ftoken%2B1; path kept")).toBe(
    "bad account ***en+1, ***en+1; path kept",
  );
  expect(value({ a: ["s3cret/token+1", 1, null, { "s3cret/token+1": true }], b: "fine" })).toEqual({
    a: ["***en+1", 1, null, { "***en+1": true }],
    b: "fine",
  });
});

test("members that are named as a secret are masked whatever they say, once", () => {
  const shown = { token: "***xyz", upload_token: "***-abc", password: "***", limit_filesize: 5, tokens: 3 };
  const { value } = masking([]);
  expect(value({ ...shown, upload_token: "token-abc", password: "abc" })).toEqual(shown);
});
