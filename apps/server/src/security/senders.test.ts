import { recordingLogger } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { Senders } from "./senders.js";

const ownNames = new Set(["openscan.fritz.box"]);

function createSenders(allowHosts: readonly string[] = [], allowOrigins: readonly string[] = []) {
  const log = recordingLogger();
  return { log, senders: new Senders({ log, allowHosts, allowOrigins, ownNames }) };
}

interface Said {
  readonly hosts?: readonly string[];
  readonly origin?: string;
  readonly url?: string;
  readonly localAddress?: string;
}

const request = ({ hosts = ["openscan.local"], origin, url = "/", localAddress = "192.168.1.20" }: Said) => ({
  url,
  headers: { host: hosts[0], origin },
  headersDistinct: { ...(hosts.length > 0 && { host: [...hosts] }) },
  socket: { localAddress },
});

test.each(["openscan:8000", "localhost", "127.0.0.1:1", "openscan.fritz.box", "OPENSCAN.LOCAL.", "[::1]"])(
  "%s is a name of ours",
  (host) => {
    expect(createSenders().senders.refuseHost(request({ hosts: [host] }))).toBeUndefined();
  },
);

test.each([
  "",
  "evil.example",
  "evil.fritz.box",
  "2130706433",
  "a@localhost",
  "203.0.113.7",
  "[2001:db8::7]:80",
])("the name %j is refused, with the way to allow one", (host) => {
  expect(createSenders().senders.refuseHost(request({ hosts: [host] }))).toMatchObject({
    code: "forbidden",
    detail: `"${host}" is not a host name of this scanner; --allow-host NAME (OPENSCAN_ALLOW_HOST) allows one`,
  });
});

test("a public address at which a request arrived is ours", () => {
  const { senders } = createSenders();
  const arrived = (host: string, localAddress: string) =>
    senders.refuseHost(request({ hosts: [host], localAddress })) === undefined;
  expect(arrived("203.0.113.7:8000", "203.0.113.7")).toBe(true);
  expect(arrived("203.0.113.7", "::ffff:203.0.113.7")).toBe(true);
  expect(arrived("[2001:db8::7]:8000", "2001:db8::7")).toBe(true);
  expect(arrived("203.0.113.8", "203.0.113.7")).toBe(false);
});

test("a listed name passes, also as the page's", () => {
  const { senders } = createSenders(["scanner.example.org"]);
  expect(senders.refuseHost(request({ hosts: ["scanner.example.org:8443"] }))).toBeUndefined();
  expect(senders.refuseOrigin(request({ origin: "https://scanner.example.org" }))).toBeUndefined();
  expect(senders.refuseHost(request({ hosts: ["x.scanner.example.org"] }))).toMatchObject({
    code: "forbidden",
  });
});

test("two Host headers are one too many, even when both are ours; none is no browser", () => {
  const { senders } = createSenders();
  expect(senders.refuseHost(request({ hosts: ["localhost", "localhost"] }))).toMatchObject({
    code: "bad_request",
  });
  expect(senders.refuseHost(request({ hosts: [] }))).toBeUndefined();
});

test("the host of an absolute target counts too", () => {
  const { senders } = createSenders();
  const refused = (url: string, hosts?: readonly string[]) =>
    senders.refuseHost(request({ url, ...(hosts && { hosts }) })) !== undefined;
  expect(refused("http://openscan.local:8000/latest/")).toBe(false);
  expect(refused("http://evil.example/latest/")).toBe(true);
  expect(refused("HTTP://evil.example?x")).toBe(true);
  expect(refused("http://localhost@evil.example/")).toBe(true);
  expect(refused("http:///latest/")).toBe(true);
  expect(refused("http://localhost/", ["evil.example"])).toBe(true);
  expect(refused("/latest/?x=http://evil.example/")).toBe(false);
});

test.each([
  undefined,
  "http://openscan.local:3000",
  "https://openscan.local",
  "http://openscan.fritz.box",
  "http://localhost:5173",
  "http://192.168.1.5",
  "http://[fd00::1]:8080",
  "http://workstation",
])("a page of %s may ask", (origin) => {
  expect(
    createSenders().senders.refuseOrigin(request(origin === undefined ? {} : { origin })),
  ).toBeUndefined();
});

test.each([
  "",
  "null",
  "https://evil.example",
  "http://openscan.local.evil.example",
  "http://evil.example@openscan.local",
  "chrome-extension://abcdefghijklmnop",
  "http://localhost, http://localhost",
])("a page of %j may not", (origin) => {
  expect(createSenders().senders.refuseOrigin(request({ origin }))).toMatchObject({
    code: "forbidden",
    detail: `pages of "${origin}" may not use this scanner; --allow-origin ORIGIN (OPENSCAN_ALLOW_ORIGIN) allows them`,
  });
});

test("listed origins pass as they stand, with scheme and port", () => {
  const { senders } = createSenders([], ["null", "https://ui.example", "chrome-extension://abc"]);
  const passes = (origin: string) => senders.refuseOrigin(request({ origin })) === undefined;
  expect(
    ["null", "https://ui.example", "HTTPS://UI.example", "chrome-extension://abc"].filter(passes),
  ).toHaveLength(4);
  expect(
    [
      "http://ui.example",
      "https://ui.example:8443",
      "https://x.ui.example",
      "chrome-extension://abcd",
    ].filter(passes),
  ).toEqual([]);
});

test("a refusal is told once, short and printable, and a flood of them does not fill the log", () => {
  const { senders, log } = createSenders();
  const nasty = `\u009b31m\u00ff${"x".repeat(500)}`;
  const refusal = senders.refuseOrigin(request({ origin: nasty }));
  expect(refusal?.detail).toMatch(/^[\x20-\x7e]{1,300}$/);
  for (let i = 0; i < 3; i++) senders.refuseHost(request({ hosts: ["evil.example"] }));
  expect(log.lines).toHaveLength(2);
  for (let i = 0; i < 1000; i++) senders.refuseHost(request({ hosts: [`evil${i}.example`] }));
  expect(log.lines).toHaveLength(100);
});
