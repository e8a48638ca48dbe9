import { expect, test } from "vitest";
import { isLocalHost } from "./local-host.js";

test.each([
  "localhost",
  "app.localhost",
  "openscan",
  "openscan.local",
  "a.b.local",
  "openscan.lan",
  "127.0.0.1",
  "127.255.255.254",
  "10.0.0.1",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.178.20",
  "169.254.7.7",
  "100.64.0.1",
  "100.127.255.255",
  "::1",
  "0:0:0:0:0:0:0:1",
  "::ffff:127.0.0.1",
  "::ffff:c0a8:101",
  "fc00::1",
  "fdff:ffff::1",
  "fe80::1",
  "febf::1",
])("%s can only be in our network", (host) => {
  expect(isLocalHost(host)).toBe(true);
});

test.each([
  "evil.com",
  "local.evil.com",
  "localhost.evil.com",
  "127.0.0.1.evil.com",
  "192.168.1.1.nip.io",
  "evil.local.com",
  "evillocal.com",
  "evil.notlocal",
  "evil.xn--local-abc",
  "openscan.fritz.box",
  "com.",
  "8.8.8.8",
  "0.0.0.0",
  "11.0.0.1",
  "172.15.255.255",
  "172.32.0.1",
  "192.167.1.1",
  "192.169.0.1",
  "100.63.255.255",
  "100.128.0.0",
  "169.253.1.1",
  "::",
  "::127.0.0.1",
  "::ffff:8.8.8.8",
  "64:ff9b::7f00:1",
  "2002:7f00:1::",
  "fec0::1",
  "fbff::1",
  "2001:db8::1",
])("%s can be anybody's", (host) => {
  expect(isLocalHost(host)).toBe(false);
});
