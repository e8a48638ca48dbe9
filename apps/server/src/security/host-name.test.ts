import { isIPv6 } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { hostOfOrigin, parseHost } from "./host-name.js";

test.each([
  ["openscan", "openscan"],
  ["OpenScan.LOCAL:8000", "openscan.local"],
  ["openscan.local.", "openscan.local"],
  ["openscan.local.:80", "openscan.local"],
  ["localhost.", "localhost"],
  ["com.", "com."],
  ["my_scanner-2.lan", "my_scanner-2.lan"],
  ["xn--bcher-kva.example", "xn--bcher-kva.example"],
  ["192.168.1.20:8000", "192.168.1.20"],
  ["[::1]:8000", "::1"],
  ["[FE80::1%25eth0]", "fe80::1"],
  ["[fe80::1%wlan0]:80", "fe80::1"],
  ["[::ffff:127.0.0.1]", "::ffff:127.0.0.1"],
  ["127.0.0.1.evil.com", "127.0.0.1.evil.com"],
])("%j names %s", (authority, host) => {
  expect(parseHost(authority)).toBe(host);
});

test.each([
  "",
  " ",
  ".",
  "..",
  ".local",
  "a..local",
  "openscan.local..",
  "localhost..",
  "user@localhost",
  "user:secret@localhost",
  "localhost:80@evil.com",
  "localhost#evil.com",
  "localhost/evil.com",
  "localhost\\.evil.com",
  "localhost, evil.com",
  "localhost:port",
  "localhost:",
  "localhost:123456",
  "::1",
  "[::1",
  "::1]",
  "[::1]]",
  "[::1].evil.com",
  "[localhost]",
  "[127.0.0.1]",
  "[::1%eth0]evil",
  "2130706433",
  "0x7f000001",
  "0x7f.1",
  "0177.0.0.1",
  "127.1",
  "127.0.1",
  "127.0.0.01",
  "127.0.0.1.1",
  "127.0.0.256",
  "127.0.0.0x1",
  "127.0.0.1 ",
  "localhost%00.evil.com",
  "%6cocalhost",
  "ｌocalhost",
  "localhost。",
  "bücher.local",
  "-openscan",
  "openscan-",
  "a".repeat(64),
  `${"a.".repeat(127)}local`,
])("%j is no host", (authority) => {
  expect(parseHost(authority)).toBeUndefined();
});

test("whatever passes means the same host to a URL parser", () => {
  const part = fc.constantFrom(
    ..."0 1 7 x X f . : [ ] @ % / \\ # ? - _ , ü 。".split(" "),
    ...["localhost", "local", "evil", "com", "127", "0x7f", "fe80", "::", "ffff", "%25eth0", "\t", "80"],
  );
  const authority = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(authority, (text) => {
      const host = parseHost(text);
      if (host === undefined) return;
      // A zone is no part of a URL, and a URL parser refuses ports above 65535.
      const plain = text.replace(/%[^\]]*\]/, "]").replace(/:\d+$/, "");
      const { hostname } = new URL(`http://${plain}/`);
      const named = hostname.replace(/^\[|\]$/g, "");
      const expected = isIPv6(host) ? new URL(`http://[${host}]/`).hostname.slice(1, -1) : host;
      expect(named.replace(/^(localhost|.+\..+)\.$/, "$1")).toBe(expected);
    }),
    { numRuns: 5000 },
  );
});

test("only a web page's origin has a host", () => {
  expect(hostOfOrigin("https://openscan.local:8443")).toBe("openscan.local");
  expect(hostOfOrigin("HTTP://[::1]:3000")).toBe("::1");
  for (const origin of [
    "",
    "null",
    "localhost",
    "//localhost",
    "file://",
    "file://localhost",
    "ftp://localhost",
    "chrome-extension://abcdefghijklmnop",
    "http://localhost/",
    "http://localhost/path",
    "http://localhost?evil.com",
    "http://localhost#evil.com",
    "http://localhost@evil.com",
    "http://evil.com@localhost",
    "http://localhost http://evil.com",
    "http://localhost, http://localhost",
    "http://localhost\\@evil.com",
    "http:///localhost",
    " http://localhost",
  ])
    expect(hostOfOrigin(origin), origin).toBeUndefined();
});
