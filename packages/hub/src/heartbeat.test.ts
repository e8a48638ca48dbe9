import { FakeClock } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { Heartbeat } from "./heartbeat.js";

function startHeartbeat() {
  const clock = new FakeClock(0);
  const happened: string[] = [];
  const note = (what: string) => () => void happened.push(`${what} ${clock.now() / 1000}`);
  const heartbeat = new Heartbeat(clock, { ping: note("ping"), idle: note("idle"), dead: note("dead") });
  return { clock, heartbeat, happened };
}

test("without pongs the third tick is the last", async () => {
  const { clock, heartbeat, happened } = startHeartbeat();
  heartbeat.sent();
  await clock.advance(59_999);
  expect(happened).toEqual(["ping 20", "idle 30", "ping 40"]);
  await clock.advance(1);
  expect(happened.at(-2)).toBe("idle 60");
  expect(happened.at(-1)).toBe("dead 60");
});

test("a pong starts the count again", async () => {
  const { clock, heartbeat, happened } = startHeartbeat();
  await clock.advance(45_000);
  heartbeat.ponged();
  await clock.advance(54_999);
  expect(happened.filter((what) => what.startsWith("ping"))).toEqual([
    "ping 20",
    "ping 40",
    "ping 60",
    "ping 80",
  ]);
  await clock.advance(1);
  expect(happened).toContain("dead 100");
});

test("a data frame postpones the idle message by 30 s from then", async () => {
  const { clock, heartbeat, happened } = startHeartbeat();
  const idle = () => happened.filter((what) => what.startsWith("idle"));
  await clock.advance(29_000);
  heartbeat.sent();
  await clock.advance(29_999);
  expect(idle()).toEqual([]);
  await clock.advance(1);
  expect(idle()).toEqual(["idle 59"]);
});

test("a stopped heartbeat leaves no timer", async () => {
  const { clock, heartbeat, happened } = startHeartbeat();
  await clock.advance(35_000);
  heartbeat.stop();
  expect(clock.pending).toBe(0);
  await clock.advance(100_000);
  expect(happened).toEqual(["ping 20", "idle 30"]);
});
