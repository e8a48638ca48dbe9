import { ScanError } from "@openscan/protocol";
import { settle } from "@openscan/runtime/testing";
import { describe, expect, test, vi } from "vitest";
import { createMotor, rotorSettings } from "../../test/support.js";
import { Endstop } from "../endstop/endstop.js";
import type { MotorDriver } from "./driver.js";
import { planSteps } from "./profile.js";

const full = { max_angle: 360, steps_per_rotation: 3200, acceleration: 5000 };
const stepDegrees = 360 / rotorSettings.steps_per_rotation;

/** A switch that is pressed while `pressed` says so. */
function endstopAt(angular_position: number, pressed: () => boolean): Endstop {
  const settings = {
    pin: 4,
    angular_position,
    motor_name: "rotor",
    pull_up: true,
    bounce_time: 0,
    active_high: true,
  };
  const driver = {
    get high() {
      return pressed();
    },
    onChange: () => () => {},
    close: async () => {},
  };
  return new Endstop({ name: "endstop", settings, driver });
}

describe("a move", () => {
  test("ends at its target, at most a step short of it, after the time of its steps", async () => {
    const { clock, motor } = await createMotor();
    const start = clock.monotonic();
    const status = await clock.run(motor.moveTo(40));
    expect(status.angle).toBeGreaterThanOrEqual(40);
    expect(status.angle).toBeLessThan(40 + stepDegrees);
    expect(clock.monotonic() - start).toBeCloseTo(motor.estimateMs(-50), 2);
    expect(clock.pending).toBe(0);
  });

  test("D13: claims the motor at once, shows its target, and announces begin and end", async () => {
    const { clock, motor, changes } = await createMotor();
    const move = motor.moveTo(40);
    expect(motor.status()).toMatchObject({ busy: true, target_angle: 40 });
    expect(changes).toEqual(["busy"]);
    expect(await clock.run(move)).toMatchObject({ busy: false, target_angle: null });
    expect(changes).toEqual(["busy", "busy"]);
  });

  test("D13: claims the motor while the device still wakes", async () => {
    let awake: (ready: { calibrate: boolean }) => void = () => {};
    const prepare = () =>
      new Promise<{ calibrate: boolean }>((resolve) => {
        awake = resolve;
      });
    const { clock, motor } = await createMotor({ host: { prepare } });
    const move = motor.moveTo(40);
    await expect(motor.moveTo(10)).rejects.toMatchObject({ code: "busy" });
    expect(motor.status()).toMatchObject({ busy: true, target_angle: 40, angle: 90 });
    awake({ calibrate: false });
    expect((await clock.run(move)).angle).toBeCloseTo(40, 1);
  });

  test("of no steps publishes both events too", async () => {
    const { clock, motor, changes } = await createMotor();
    await clock.run(motor.moveTo(90));
    expect(changes).toEqual(["busy", "busy"]);
  });

  test("D13: shows the angle of the steps made so far while it moves", async () => {
    const { clock, motor } = await createMotor();
    const move = motor.moveTo(10);
    await settle();
    const start = clock.monotonic();
    const profile = planSteps(Math.trunc((80 * 42_667) / 360), rotorSettings);
    for (const ms of [1, 50, 300, 1000]) {
      await clock.advance(ms);
      const steps = profile.stepsExecutedAt(clock.monotonic() - start);
      expect(motor.status().angle).toBeCloseTo(90 - steps * stepDegrees, 9);
    }
    await clock.run(move);
  });

  test("stopped in the middle books exactly the steps executed, then is cancelled", async () => {
    const { clock, motor, driver, world, changes } = await createMotor();
    const abort = new AbortController();
    const move = motor.moveTo(10, abort.signal);
    move.catch(() => {});
    await settle();
    const start = clock.monotonic();
    await clock.advance(333);
    abort.abort(new Error("enough"));
    await expect(move).rejects.toMatchObject({ code: "cancelled", cause: abort.signal.reason });
    const steps = planSteps(9481, rotorSettings).stepsExecutedAt(clock.monotonic() - start);
    expect(steps).toBeGreaterThan(100);
    expect(driver.position).toBe(-steps);
    expect(motor.status().angle).toBeCloseTo(90 - steps * stepDegrees, 9);
    expect(world.angle("rotor")).toBeCloseTo(motor.status().angle, 9);
    expect(changes).toEqual(["busy", "busy"]);
    await clock.advance(10_000);
    expect(driver.position).toBe(-steps);
  });

  test("D21: is stopped by stop(), which waits for the motor to rest", async () => {
    const { clock, motor } = await createMotor();
    const move = expect(motor.moveBy(-50)).rejects.toMatchObject({ code: "cancelled" });
    await clock.advance(200);
    await motor.stop();
    expect(motor.busy).toBe(false);
    await move;
    await motor.stop();
  });

  test("that is over before it starts does nothing", async () => {
    const { motor, changes } = await createMotor();
    await expect(motor.moveTo(10, AbortSignal.abort())).rejects.toMatchObject({ code: "cancelled" });
    expect(changes).toEqual([]);
  });

  test("waits for the driver to really stop when it is cancelled", async () => {
    let halt = () => {};
    const wrap = (driver: MotorDriver): MotorDriver => ({
      position: 0,
      configure: (settings) => driver.configure(settings),
      enable: (on) => driver.enable(on),
      close: () => driver.close(),
      move: () =>
        new Promise<void>((resolve) => {
          halt = resolve;
        }),
    });
    const { motor } = await createMotor({ wrap });
    const move = motor.moveTo(10);
    const ended = vi.fn();
    move.catch(ended);
    await settle();
    const stopped = motor.stop();
    await settle();
    expect(ended).not.toHaveBeenCalled();
    expect(motor.busy).toBe(true);
    await expect(motor.moveTo(50)).rejects.toMatchObject({ code: "busy" });
    halt();
    await stopped;
    expect(ended).toHaveBeenCalledWith(expect.objectContaining({ code: "cancelled" }));
  });

  test.each([1, -1] as const)("with direction %d sends its steps that way", async (direction) => {
    const { clock, motor, driver } = await createMotor({ settings: { direction } });
    await clock.run(motor.moveBy(-10));
    expect(driver.position).toBe(-1185 * direction);
    expect(motor.status().angle).toBeCloseTo(80, 1);
  });

  test("takes the shorter way round on a full circle", async () => {
    const { clock, motor, driver } = await createMotor({ settings: full });
    await clock.run(motor.moveTo(350));
    expect(driver.position).toBe(-888);
    expect(motor.status().angle).toBeCloseTo(350.1, 5);
    await clock.run(motor.moveBy(20));
    expect(motor.status().angle).toBeCloseTo(10.0125, 5);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "to %d is refused",
    async (angle) => {
      const { motor, changes } = await createMotor();
      const refused = { code: "out_of_range", message: expect.stringContaining(String(angle)) as string };
      await expect(motor.moveTo(angle)).rejects.toMatchObject(refused);
      await expect(motor.moveBy(angle)).rejects.toMatchObject(refused);
      await expect(motor.overrideAngle(angle)).rejects.toMatchObject(refused);
      expect(changes).toEqual([]);
    },
  );

  test.each([
    [new Error("bus gone"), "hardware_fault"],
    [new ScanError("timeout", "no answer"), "timeout"],
  ])("that fails with %s leaves the motor resting where it is", async (error, code) => {
    let position = 0;
    const wrap = (driver: MotorDriver): MotorDriver => ({
      get position() {
        return position;
      },
      configure: async () => {},
      enable: async () => {},
      close: () => driver.close(),
      move: async () => {
        position = -100;
        throw error;
      },
    });
    const { motor, changes } = await createMotor({ wrap });
    await expect(motor.moveTo(10)).rejects.toMatchObject({ code });
    expect(motor.status()).toMatchObject({ busy: false, angle: 90 - 100 * stepDegrees });
    expect(changes).toEqual(["busy", "busy"]);
  });

  test("whose driver makes too few steps is a fault", async () => {
    const wrap = (driver: MotorDriver): MotorDriver => ({
      position: 0,
      configure: async () => {},
      enable: async () => {},
      close: () => driver.close(),
      move: async () => {},
    });
    const { motor } = await createMotor({ wrap });
    await expect(motor.moveTo(80)).rejects.toMatchObject({
      code: "hardware_fault",
      message: "motor rotor executed 0 of -1185 steps",
    });
  });
});

describe("an override", () => {
  test("sets the angle without moving", async () => {
    const { motor, driver, changes } = await createMotor();
    expect(await motor.overrideAngle(12.5)).toMatchObject({ angle: 12.5 });
    expect(driver.position).toBe(0);
    expect(changes).toEqual(["angle"]);
  });

  test("is refused during a move", async () => {
    const { clock, motor } = await createMotor();
    const move = motor.moveTo(40);
    await expect(motor.overrideAngle(1)).rejects.toMatchObject({ code: "busy" });
    await clock.run(move);
  });
});

describe("settings", () => {
  test("of a moving motor are used after the move", async () => {
    const { clock, motor } = await createMotor();
    const move = motor.moveTo(40);
    await settle();
    const update = motor.settings.update({ direction: -1, steps_per_rotation: 1000 });
    await clock.advance(100);
    expect(motor.settings.get().direction).toBe(1);
    const { angle } = await clock.run(move);
    expect(angle).toBeCloseTo(40, 1);
    expect(await update).toMatchObject({ direction: -1, steps_per_rotation: 1000 });
    expect(motor.status().angle).toBeCloseTo(angle, 9);
  });

  test("a move asked for while settings are taken over uses the new ones", async () => {
    const { clock, motor } = await createMotor();
    const update = motor.settings.update({ max_angle: 100 });
    const move = motor.moveTo(140);
    await update;
    expect((await clock.run(move)).angle).toBeCloseTo(100, 1);
  });
});

describe("an endstop", () => {
  test("ends a move towards it: the motor is where the endstop is, then backs off", async () => {
    const { clock, motor, world, changes } = await createMotor({ startAngle: 100 });
    motor.attach(endstopAt(145, () => world.angle("rotor") >= 145));
    // It believes to be at 90 and wants to go to 140, which really is 150.
    const status = await clock.run(motor.moveTo(140));
    expect(status.angle).toBeCloseTo(143, 1);
    expect(world.angle("rotor")).toBeCloseTo(status.angle, 1);
    expect(changes).toEqual(["busy", "angle", "busy"]);
    expect(status.endstop).toMatchObject({ assigned_motor: "rotor", position: 145, is_pressed: false });
  });

  test("stops the motor on the very step that touches it", async () => {
    const { clock, motor, world } = await createMotor({ startAngle: 100 });
    let highest = 0;
    const pressed = () => {
      highest = Math.max(highest, world.angle("rotor"));
      return world.angle("rotor") >= 145;
    };
    motor.attach(endstopAt(145, pressed));
    await clock.run(motor.moveTo(140));
    expect(highest).toBeGreaterThanOrEqual(145);
    expect(highest).toBeLessThan(145 + stepDegrees);
  });

  test("that is pressed already keeps the motor from moving on, not from moving away", async () => {
    const { clock, motor, world, driver } = await createMotor({ startAngle: 146 });
    motor.attach(endstopAt(145, () => world.angle("rotor") >= 145));
    await clock.run(motor.moveTo(80));
    expect(driver.position).toBe(-1185);
    const before = driver.position;
    await clock.run(motor.moveTo(140));
    expect(driver.position).toBeGreaterThan(before);
    expect(world.angle("rotor")).toBeLessThan(145);
  });

  test("pressed from the start: not one step towards it", async () => {
    const { clock, motor, driver } = await createMotor();
    motor.attach(endstopAt(100, () => true));
    await clock.run(motor.moveTo(95));
    // Only the way back, from where the endstop is.
    expect(driver.position).toBe(-Math.trunc((2 * 42_667) / 360));
    expect(motor.status().angle).toBeCloseTo(98, 1);
  });

  test("touched on the way away from it tells that the direction is wrong", async () => {
    const { clock, motor, driver } = await createMotor();
    motor.attach(endstopAt(145, () => driver.position < -500));
    await expect(clock.run(motor.moveTo(10))).rejects.toMatchObject({
      code: "hardware_fault",
      message: expect.stringContaining("direction is wrong") as string,
    });
    expect(driver.position).toBe(-501);
    expect(motor.status().angle).toBeCloseTo(90 - 501 * stepDegrees, 9);
  });

  test("backing off respects the limits", async () => {
    const { clock, motor, world } = await createMotor({ settings: { max_angle: 140 }, startAngle: 110 });
    motor.attach(endstopAt(145, () => world.angle("rotor") >= 145));
    expect((await clock.run(motor.moveTo(140))).angle).toBeCloseTo(140, 1);
  });
});

describe("calibration", () => {
  test("finds the truth after a wrong override, then goes home", async () => {
    const { clock, motor, world, changes } = await createMotor();
    motor.attach(endstopAt(145, () => world.angle("rotor") >= 145));
    await motor.overrideAngle(20);
    const status = await clock.run(motor.calibrate());
    expect(status).toMatchObject({ calibrated: true, busy: false });
    expect(status.angle).toBeCloseTo(90, 1);
    expect(Math.abs(world.angle("rotor") - status.angle)).toBeLessThan(stepDegrees);
    expect(changes).toEqual(["angle", "busy", "angle", "calibrated", "busy"]);
  });

  test("looks beyond the limits that a wrong angle would impose", async () => {
    const { clock, motor, world } = await createMotor({ startAngle: -100 });
    motor.attach(endstopAt(145, () => world.angle("rotor") >= 145));
    await clock.run(motor.calibrate());
    expect(Math.abs(world.angle("rotor") - motor.status().angle)).toBeLessThan(stepDegrees);
  });

  test("first leaves an endstop that is pressed", async () => {
    const { clock, motor, world } = await createMotor({ startAngle: 160 });
    motor.attach(endstopAt(145, () => world.angle("rotor") >= 145));
    await clock.run(motor.calibrate());
    expect(Math.abs(world.angle("rotor") - motor.status().angle)).toBeLessThan(stepDegrees);
    expect(motor.status().angle).toBeCloseTo(90, 1);
  });

  test.each([
    ["never pressed", () => false, "did not reach endstop endstop within 270 degrees"],
    ["always pressed", () => true, "stays pressed"],
  ])("D16: without a touch fails: %s", async (_, pressed, message) => {
    const { clock, motor, changes } = await createMotor();
    motor.attach(endstopAt(145, pressed));
    await expect(clock.run(motor.calibrate())).rejects.toMatchObject({
      code: "hardware_fault",
      message: expect.stringContaining(message) as string,
    });
    expect(motor.status()).toMatchObject({ calibrated: false, busy: false });
    expect(changes).toEqual(["busy", "busy"]);
  });

  test("D16: of a motor without endstop is refused", async () => {
    const { motor } = await createMotor();
    await expect(motor.calibrate()).rejects.toMatchObject({
      code: "invalid",
      message: "motor rotor has no endstop",
    });
  });

  test("happens once unless forced, and only keeps the device awake otherwise", async () => {
    const stayAwake = vi.fn();
    const { clock, motor, world, driver, changes } = await createMotor({ host: { stayAwake } });
    motor.attach(endstopAt(145, () => world.angle("rotor") >= 145));
    await clock.run(motor.calibrate());
    changes.length = 0;
    const position = driver.position;
    expect(await motor.calibrate()).toMatchObject({ calibrated: true });
    expect(stayAwake).toHaveBeenCalledOnce();
    expect([driver.position, changes]).toEqual([position, []]);
    await clock.run(motor.calibrate({ force: true }));
    expect(changes).toEqual(["busy", "calibrated", "angle", "calibrated", "busy"]);
  });

  test("that is cancelled leaves the motor not calibrated", async () => {
    const { clock, motor, world } = await createMotor();
    motor.attach(endstopAt(145, () => world.angle("rotor") >= 145));
    const calibration = motor.calibrate();
    const cancelled = expect(calibration).rejects.toMatchObject({ code: "cancelled" });
    await clock.advance(300);
    expect(motor.status()).toMatchObject({ busy: true, target_angle: null });
    await expect(motor.calibrate()).rejects.toMatchObject({ code: "busy" });
    await motor.stop();
    await cancelled;
    expect(motor.status().calibrated).toBe(false);
    expect(world.angle("rotor")).toBeCloseTo(motor.status().angle, 9);
  });

  test("is lost when the motor is released", async () => {
    const { clock, motor, world, changes } = await createMotor();
    motor.attach(endstopAt(145, () => world.angle("rotor") >= 145));
    await clock.run(motor.calibrate());
    changes.length = 0;
    await motor.enable(false);
    expect(motor.status().calibrated).toBe(false);
    expect(changes).toEqual(["calibrated"]);
  });

  test("comes first when the device asks for it, then the move itself", async () => {
    const { clock, motor, world } = await createMotor({
      startAngle: 70,
      host: { prepare: async () => ({ calibrate: true }) },
    });
    motor.attach(endstopAt(145, () => world.angle("rotor") >= 145));
    const status = await clock.run(motor.moveBy(-10));
    expect(status.calibrated).toBe(true);
    expect(status.angle).toBeCloseTo(80, 1);
    expect(world.angle("rotor")).toBeCloseTo(80, 1);
  });
});

test("home goes to the home angle", async () => {
  const { clock, motor } = await createMotor({ settings: { home_angle: 30 } });
  expect((await clock.run(motor.home())).angle).toBeCloseTo(30, 1);
});

test("the device is told when the motor is claimed and when it rests", async () => {
  const calls: string[] = [];
  const claimed = () => {
    calls.push("claimed");
    return () => void calls.push("released");
  };
  const { clock, motor } = await createMotor({ host: { claimed } });
  await clock.run(motor.moveTo(80));
  await expect(motor.moveTo(10, AbortSignal.abort())).rejects.toThrow();
  expect(calls).toEqual(["claimed", "released"]);
});

test("a motor that is not energised counts steps but stays where it is", async () => {
  const { clock, motor, world } = await createMotor();
  await motor.enable(false);
  await clock.run(motor.moveTo(40));
  expect(world.angle("rotor")).toBe(90);
  expect(motor.status().angle).toBeCloseTo(40, 1);
});

test("a closed motor has stopped, keeps its angle, and everything else is offline", async () => {
  const { clock, motor } = await createMotor();
  const move = expect(motor.moveTo(10)).rejects.toMatchObject({ code: "cancelled" });
  await clock.advance(200);
  await motor.close();
  await motor.close();
  await move;
  const { angle } = motor.status();
  expect(angle).toBeLessThan(90);
  const calls = [
    () => motor.moveTo(1),
    () => motor.moveBy(1),
    () => motor.home(),
    () => motor.calibrate(),
    () => motor.overrideAngle(1),
    () => motor.stop(),
    () => motor.enable(true),
    () => motor.settings.update({}),
    () => motor.settings.replace(rotorSettings),
  ];
  for (const call of calls) await expect(call()).rejects.toMatchObject({ code: "offline" });
  expect(motor.status().angle).toBe(angle);
});
