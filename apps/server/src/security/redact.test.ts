import { expect, test } from "vitest";
import { withoutSecret, redactor, redactUrl } from "./redact.js";

const token = "a+b/c=d_e.f~g-h0123=";

test("a configured token is taken out in each of its spellings", () => {
  const redact = redactor({ token, viewToken: "view-token-0123456789" });
  const spellings = [token, encodeURIComponent(token), Buffer.from(token).toString("base64url")];
  for (const spelling of [...spellings, "view-token-0123456789"])
    expect(redact(JSON.stringify({ x: `<${spelling}> and ${spelling}` }))).toBe(
      '{"x":"<[redacted]> and [redacted]"}',
    );
  expect(redactor({})("nothing to hide")).toBe("nothing to hide");
});

test.each([
  ["/latest/", "/latest/"],
  ["/x?a=1&b", "/x?a=1&b"],
  ["/x?ticket=abc&a=1", "/x?ticket=[redacted]&a=1"],
  ["/x?a=1&%74icket=abc=d", "/x?a=1&%74icket=[redacted]"],
  ["/x?token=a&access_token=b&id_token=c", "/x?token=[redacted]&access_token=[redacted]&id_token=[redacted]"],
  [
    "/x?Authorization=Bearer%20abc&api_key=b&password=c",
    "/x?Authorization=[redacted]&api_key=[redacted]&password=[redacted]",
  ],
  ["/x?ticket", "/x?ticket"],
  ["/x?%zz=1&a==b", "/x?%zz=1&a==b"],
])("%s is logged as %s", (url, logged) => {
  expect(redactUrl(url)).toBe(logged);
});

test.each([
  ["token", "secret", "[redacted]"],
  ["cloud_token_2", 5, "[redacted]"],
  ["password", null, null],
  ["host", "http://user:secret@cloud", "http://[redacted]@cloud"],
  ["host", "http://cloud/a@b", "http://cloud/a@b"],
  ["angle", 500, 500],
])("of a refused %s %j a reply repeats %j", (name, value, shown) => {
  expect(withoutSecret(name, value)).toBe(shown);
});
