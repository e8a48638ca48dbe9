import { EndstopSettings } from "@openscan/protocol";
import { FakeClock, recordingLogger } from "@openscan/runtime/testing";
import { expect, test, vi } from "vitest";
import { SimulatedWorld } from "../simulated-world.js";
import { simulatedEndstop } from "./drivers/simulated.js";
import { Endstop } from "./endstop.js";

const common = { pin: 4, angular_position: 145, motor_name: "rotor" };

test.each([
  [true, true, true],
  [false, true, false],
  [true, false, false],
  [false, false, true],
  [false, null, true],
])("D20: a line that is high: %s, active high: %s, is pressed: %s", (high, active_high, pressed) => {
  const settings = EndstopSettings.parse({ ...common, active_high });
  const driver = { high, onChange: () => () => {}, close: async () => {} };
  expect(new Endstop({ name: "e", settings, driver }).status()).toEqual({
    assigned_motor: "rotor",
    position: 145,
    pin: 4,
    is_pressed: pressed,
    pull_up: true,
    active_high,
    bounce_time: 0.005,
  });
});

async function open(angle: { now: number }, options: object, active_high = false) {
  const world = new SimulatedWorld();
  world.place("rotor", () => angle.now);
  const settings = EndstopSettings.parse({ ...common, active_high });
  const opened = simulatedEndstop(world).parse(options);
  if (!opened.success) throw opened.error;
  const context = { name: "e", settings, scanRadiusMm: 110, clock: new FakeClock(), log: recordingLogger() };
  return { world, endstop: new Endstop({ name: "e", settings, driver: await opened.data(context) }) };
}

test.each([
  [144.99, false],
  [145, true],
  [145 + 360, true],
  [174, true],
  [176, false],
  [-216, false],
  [-214, true],
])("simulated, at %d degrees it is pressed: %s, whatever its polarity", async (now, pressed) => {
  expect((await open({ now }, {})).endstop.pressed).toBe(pressed);
  expect((await open({ now }, {}, true)).endstop.pressed).toBe(pressed);
});

test("simulated, it may really be elsewhere than configured", async () => {
  const { endstop } = await open({ now: 141 }, { position: 140, width: 2 });
  expect(endstop.pressed).toBe(true);
});

test("simulated, it tells when it is touched and left, once each", async () => {
  const angle = { now: 90 };
  const { world, endstop } = await open(angle, {});
  const changed = vi.fn();
  const forget = endstop.onChange(changed);
  for (const now of [100, 145, 146, 100]) {
    angle.now = now;
    world.moved();
  }
  expect(changed).toHaveBeenCalledTimes(2);
  forget();
  angle.now = 150;
  world.moved();
  await endstop.close();
  expect(changed).toHaveBeenCalledTimes(2);
});
