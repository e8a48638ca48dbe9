import { FakeClock } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { Failures } from "./failures.js";

const fail = (failures: Failures, address: string, times: number) => {
  for (let i = 0; i < times; i++) failures.count(address);
};

test("ten failures block one address until its minute is over, and no other", async () => {
  const clock = new FakeClock();
  const failures = new Failures(clock);
  fail(failures, "192.168.1.5", 9);
  await clock.advance(20_000);
  expect(failures.waitMs("192.168.1.5")).toBe(0);
  failures.count("192.168.1.5");
  expect(failures.waitMs("192.168.1.5")).toBe(40_000);
  expect(failures.waitMs("192.168.1.6")).toBe(0);
  await clock.advance(39_999);
  expect(failures.waitMs("192.168.1.5")).toBe(1);
  await clock.advance(1);
  expect(failures.waitMs("192.168.1.5")).toBe(0);
  fail(failures, "192.168.1.5", 9);
  expect(failures.waitMs("192.168.1.5")).toBe(0);
});

test("a thousand addresses are remembered, the busiest included", () => {
  const failures = new Failures(new FakeClock());
  fail(failures, "10.0.0.1", 9);
  for (let i = 0; i < 5000; i++) {
    failures.count(`10.1.${i >> 8}.${i & 255}`);
    if (i % 900 === 0) failures.count("10.0.0.1");
  }
  expect(failures.size).toBe(1000);
  expect(failures.waitMs("10.0.0.1")).toBeGreaterThan(0);
});
