import { expect, test } from "vitest";
import { addressOf, credentialsOf } from "./credentials.js";

const from = (headers: Record<string, string>, url = "/", offered: readonly string[] = []) =>
  credentialsOf({ headers, url }, offered);
const offer = (token: string) => `openscan.bearer.${Buffer.from(token).toString("base64url")}`;

test("a token stands in the header or among the subprotocols, a ticket in the query", () => {
  expect(from({ authorization: "Bearer abc" })).toEqual({ token: "abc" });
  expect(from({ authorization: "bearer  abc" })).toEqual({ token: "abc" });
  expect(from({}, "/", ["openscan.v1", offer("a/b+c=")])).toEqual({ token: "a/b+c=" });
  expect(from({}, "/x?v=1&ticket=t%2D1")).toEqual({ ticket: "t-1" });
  expect(from({ authorization: "Bearer abc" }, "/?ticket=t", [offer("x")])).toEqual({ token: "abc" });
});

test("nothing else is a token, least of all what stands in a URL", () => {
  expect(from({}, "/?token=abc&access_token=abc&authorization=Bearer%20abc")).toBeUndefined();
  expect(from({ cookie: "token=abc", "x-api-key": "abc" })).toBeUndefined();
  for (const authorization of ["", "Bearer", "Bearer ", "Basic YTpi", "abc", "Bearer a b", "xBearer abc"])
    expect(from({ authorization }), authorization).toBeUndefined();
  expect(from({}, "/", ["openscan.v1", "bearer.abc"])).toBeUndefined();
});

test("only a proxy on this machine is believed whom it speaks for", () => {
  const address = (remoteAddress: string, forwarded?: string) =>
    addressOf({
      headers: forwarded === undefined ? {} : { "x-forwarded-for": forwarded },
      socket: { remoteAddress },
    });
  expect(address("192.168.1.5", "10.0.0.1")).toBe("192.168.1.5");
  expect(address("127.0.0.1", "10.0.0.1, 192.168.1.7")).toBe("192.168.1.7");
  expect(address("::ffff:127.0.0.1", "fd00::7")).toBe("fd00::7");
  expect(address("::1")).toBe("::1");
  expect(address("127.0.0.1", "10.0.0.1, unknown")).toBe("127.0.0.1");
});
