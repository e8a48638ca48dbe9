import { hostname } from "node:os";
import { FakeClock } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { parseHost } from "./host-name.js";
import { OwnNames } from "./own-names.js";

test("the host name and its name in each search domain are ours, and nothing beside them", () => {
  const names = new OwnNames({
    clock: new FakeClock(),
    hostname: () => "OpenScan",
    resolverConfiguration: () =>
      "# search no.example\nnameserver 192.168.178.1\nsearch fritz.box corp.example.\n",
  });
  expect(
    ["openscan", "openscan.fritz.box", "openscan.corp.example"].filter((host) => names.has(host)),
  ).toHaveLength(3);
  for (const host of ["fritz.box", "other.fritz.box", "x.openscan.fritz.box", "openscan.no.example", ""])
    expect(names.has(host), host).toBe(false);
});

test("a full host name counts as a whole, and its first label in the search domains", () => {
  const names = new OwnNames({
    clock: new FakeClock(),
    hostname: () => "pi.example.org",
    resolverConfiguration: () => "domain home.example\n",
  });
  expect(names.has("pi.example.org")).toBe(true);
  expect(names.has("pi.home.example")).toBe(true);
  expect(names.has("example.org")).toBe(false);
});

test("a network that comes up later is noticed, but not asked about with every request", async () => {
  const clock = new FakeClock();
  let configuration = "";
  let reads = 0;
  const names = new OwnNames({
    clock,
    hostname: () => "openscan",
    resolverConfiguration: () => {
      reads++;
      return configuration;
    },
  });
  expect(names.has("openscan.fritz.box")).toBe(false);
  configuration = "search fritz.box";
  expect(names.has("openscan.fritz.box")).toBe(false);
  await clock.advance(10_001);
  expect(names.has("openscan.fritz.box")).toBe(true);
  expect(reads).toBe(2);
});

test("this machine knows its own name", () => {
  expect(new OwnNames({ clock: new FakeClock() }).has(parseHost(hostname()) ?? "")).toBe(true);
});
