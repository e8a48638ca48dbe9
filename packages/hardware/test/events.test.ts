import { describe, expect, test } from "vitest";
import { configurationOf, createDevice, startDevice } from "./support.js";

// The rows of section 11 of the device API reference, and what defect D5 adds to them.
describe("what is announced", () => {
  test("E1, E2, E3, E8: initialisation, everything last", async () => {
    const { device, announced } = createDevice();
    await device.initialize(configurationOf({ lights: { a: { pin: 1 }, "b c": { pin: 2 } } }));
    expect(announced()).toEqual([
      "lights.a.settings",
      "lights.b c.settings",
      "triggers.trigger.settings",
      "lights.a.is_on",
      "lights.b c.is_on",
      "null",
    ]);
  });

  test("E2, E3: light settings; on, off, toggle, even when nothing changes", async () => {
    const { device, announced } = await startDevice();
    const light = device.light("Ring light");
    await light.settings.update({ pins: [1] });
    expect(announced()).toEqual(["lights.Ring light.settings"]);
    await light.settings.replace({ pin: 2 });
    expect(announced()).toEqual(["lights.Ring light.settings"]);
    for (const flip of [
      () => light.turnOn(),
      () => light.turnOff(),
      () => light.turnOff(),
      () => light.toggle(),
    ]) {
      await flip();
      expect(announced()).toEqual(["lights.Ring light.is_on"]);
    }
  });

  test("E4, E5: camera settings after busy, photos busy, previews nothing", async () => {
    const { device, announced } = await startDevice();
    const camera = device.camera("camera");
    await camera.settings.update({ gain: 2 });
    expect(announced()).toEqual(["cameras.camera.busy", "cameras.camera.busy", "cameras.camera.settings"]);
    await camera.capture({ format: "jpeg" });
    expect(announced()).toEqual(["cameras.camera.busy", "cameras.camera.busy"]);
    await camera.preview();
    expect(announced()).toEqual([]);
    await expect(camera.capture({ format: "no such format" as "raw" })).rejects.toMatchObject({
      code: "bad_request",
    });
    expect(announced()).toEqual([]);
  });

  test("E6, E7: motor settings; begin and end of a move, without steps too, and when stopped", async () => {
    const { device, clock, announced } = await startDevice();
    const motor = device.motor("turntable");
    await motor.settings.update({ max_speed: 4000 });
    expect(announced()).toEqual(["motors.turntable.settings"]);
    const busy = ["motors.turntable.busy", "motors.turntable.busy"];
    await clock.run(motor.moveTo(100));
    expect(announced()).toEqual(busy);
    await clock.run(motor.moveBy(0));
    expect(announced()).toEqual(busy);
    const stopped = expect(motor.moveTo(200)).rejects.toMatchObject({ code: "cancelled" });
    await clock.advance(50);
    await motor.stop();
    await stopped;
    expect(announced()).toEqual(busy);
  });

  test("E7: what is busy when it is announced", async () => {
    const { device, clock } = await startDevice();
    const seen: unknown[] = [];
    device.changes.on(() => {
      const { busy, target_angle, angle } = device.status().motors.turntable ?? {};
      seen.push([busy, target_angle, angle]);
    });
    await clock.run(device.motor("turntable").moveTo(135));
    expect(seen).toEqual([
      [true, 135, 90],
      [false, null, 135],
    ]);
  });

  test("E8, E9, E10: trigger settings; a pulse begins, is recorded, ends", async () => {
    const { device, clock, announced } = await startDevice();
    const trigger = device.trigger("trigger");
    await clock.run(trigger.fire());
    expect(announced()).toEqual(["triggers.trigger.busy", "triggers.trigger", "triggers.trigger.busy"]);
    await trigger.settings.update({ enabled: false });
    expect(announced()).toEqual(["triggers.trigger.settings"]);
    await expect(trigger.fire()).rejects.toMatchObject({ code: "conflict" });
    expect(announced()).toEqual([]);
  });

  test("D5: angle override, endstop, calibration, idle and wake", async () => {
    const { device, clock, announced } = await startDevice();
    const motor = device.motor("rotor");
    await motor.overrideAngle(45);
    expect(announced()).toEqual(["motors.rotor.angle"]);
    await clock.run(motor.calibrate());
    expect(announced()).toEqual([
      "motors.rotor.busy",
      "motors.rotor.endstop",
      "motors.rotor.angle",
      "motors.rotor.endstop",
      "motors.rotor.calibrated",
      "motors.rotor.busy",
    ]);
    await device.idle();
    expect(announced()).toEqual(["motors.rotor.calibrated", "idle"]);
    await clock.run(device.wake());
    expect(announced()).toEqual(["idle"]);
  });

  test("nothing when a request changes nothing or is refused", async () => {
    const { device, announced } = await startDevice();
    await device.motor("rotor").settings.update({});
    await device.wake();
    await expect(device.motor("rotor").moveTo(Number.NaN)).rejects.toThrow();
    await expect(device.motor("rotor").settings.update({ max_speed: -1 })).rejects.toThrow();
    await expect(device.motor("turntable").calibrate()).rejects.toThrow();
    expect(announced()).toEqual([]);
  });

  test("a listener that throws does not disturb the device", async () => {
    const { device, clock, log } = await startDevice();
    device.changes.on(() => {
      throw new Error("bad listener");
    });
    expect(await clock.run(device.motor("rotor").moveTo(80))).toMatchObject({ busy: false });
    expect(log.lines.map(({ message }) => message)).toContain("a listener threw");
  });
});
