import { FakeClock } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { Tickets } from "./tickets.js";

test("a ticket is good once, and only for ten seconds", async () => {
  const clock = new FakeClock();
  const tickets = new Tickets(clock);
  const used = tickets.create("view");
  expect(used).toMatch(/^[\w-]{43}$/);
  expect(tickets.use(used)).toBe("view");
  expect(tickets.use(used)).toBeUndefined();

  const late = tickets.create("control");
  await clock.advance(9_999);
  const inTime = tickets.create("control");
  await clock.advance(1);
  expect(tickets.use(late)).toBeUndefined();
  expect(tickets.use(inTime)).toBe("control");
  expect(tickets.use("")).toBeUndefined();
  expect(tickets.size).toBe(0);
});

test("no two are alike", () => {
  const tickets = new Tickets(new FakeClock());
  expect(new Set(Array.from({ length: 500 }, () => tickets.create("view"))).size).toBe(500);
});

test("unused ones are not kept: neither too many nor too long", async () => {
  const clock = new FakeClock();
  const tickets = new Tickets(clock);
  const all = Array.from({ length: 1500 }, () => tickets.create("view"));
  expect(tickets.size).toBe(1000);
  expect(tickets.use(all[499] ?? "")).toBeUndefined();
  expect(tickets.use(all[500] ?? "")).toBe("view");
  await clock.advance(10_000);
  tickets.create("view");
  expect(tickets.size).toBe(1);
});
