import { FakeClock } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { Heart, Heartbeat, type Need } from "./heartbeat.js";

function startHeartbeat() {
  const clock = new FakeClock(0);
  const heartbeat = new Heartbeat(clock);
  const happened: string[] = [];
  const live = (name = "") => {
    const heart = new Heart(clock.monotonic());
    const living = {
      heart,
      give(need: Need) {
        happened.push(`${name}${need} ${clock.now() / 1000}`);
        if (need === "end") heartbeat.remove(living);
      },
    };
    heartbeat.add(living);
    return living;
  };
  return { clock, heartbeat, happened, live };
}

test("without pongs the third tick is the last", async () => {
  const { clock, happened, live } = startHeartbeat();
  live();
  await clock.advance(59_999);
  expect(happened).toEqual(["ping 20", "message 30", "ping 40"]);
  await clock.advance(1);
  expect(happened.slice(3)).toEqual(["message 60", "end 60"]);
  expect(clock.pending).toBe(0);
});

test("a pong starts the count again", async () => {
  const { clock, happened, live } = startHeartbeat();
  const { heart } = live();
  await clock.advance(45_000);
  heart.ponged(clock.monotonic());
  expect(heart.lastPong).toBe(45_000);
  await clock.advance(54_999);
  expect(happened.filter((what) => what.startsWith("ping"))).toEqual([
    "ping 20",
    "ping 40",
    "ping 60",
    "ping 80",
  ]);
  await clock.advance(1);
  expect(happened).toContain("end 100");
});

test("a data frame postpones the message by 30 s from then", async () => {
  const { clock, happened, live } = startHeartbeat();
  const { heart } = live();
  const messages = () => happened.filter((what) => what.startsWith("message"));
  await clock.advance(29_000);
  heart.sent(clock.monotonic());
  await clock.advance(29_999);
  expect(messages()).toEqual([]);
  await clock.advance(1);
  expect(messages()).toEqual(["message 59"]);
});

test("the last one to leave takes the timer along", async () => {
  const { clock, heartbeat, happened, live } = startHeartbeat();
  const [first, second] = [live(), live()];
  await clock.advance(35_000);
  heartbeat.remove(first);
  expect(clock.pending).toBe(1);
  heartbeat.remove(second);
  expect(clock.pending).toBe(0);
  await clock.advance(100_000);
  expect(happened).toHaveLength(4);
  live();
  await clock.advance(20_000);
  expect(happened.at(-1)).toBe("ping 155");
});

test("thousands share one timer, and each is looked after within 100 ms of its time", async () => {
  const { clock, happened, live } = startHeartbeat();
  for (let index = 0; index < 2_000; index++) {
    live(`${index} `);
    await clock.advance(1);
  }
  expect(clock.pending).toBe(1);
  await clock.advance(20_000);
  expect(happened).toHaveLength(2_000);
  for (const what of happened) {
    const [index, need, second] = what.split(" ");
    expect(need).toBe("ping");
    const lateMs = Number(second) * 1000 - (Number(index) + 20_000);
    expect(lateMs).toBeGreaterThanOrEqual(0);
    expect(lateMs).toBeLessThanOrEqual(100);
  }
});
