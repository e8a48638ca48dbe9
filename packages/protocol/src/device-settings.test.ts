import { expect, test } from "vitest";
import { CameraSettings } from "./camera.js";
import { DeviceConfiguration } from "./configuration.js";
import { LightSettings } from "./light.js";
import { MotorSettings } from "./motor.js";
import { TriggerSettings } from "./trigger.js";

const pins = { direction_pin: 5, enable_pin: 23, step_pin: 6, steps_per_rotation: 3200 };

test("motor settings have the documented defaults", () => {
  expect(MotorSettings.parse(pins)).toEqual({
    ...pins,
    acceleration: 20_000,
    max_speed: 5000,
    direction: 1,
    min_angle: 0,
    max_angle: 360,
    home_angle: 90,
  });
});

test.each([
  [{ acceleration: 999 }, "acceleration"],
  [{ acceleration: 80_001 }, "acceleration"],
  [{ max_speed: 0 }, "max_speed"],
  [{ max_speed: 7501 }, "max_speed"],
  [{ direction: 0 }, "direction"],
  [{ steps_per_rotation: 0 }, "steps_per_rotation"],
  [{ max_angle: 361 }, "max_angle"],
  [{ min_angle: 100, max_angle: 50 }, "min_angle"],
  [{ max_angle: 80 }, "home_angle"],
])("D22: motor settings %j are refused at %s", (change, field) => {
  const parsed = MotorSettings.safeParse({ ...pins, ...change });
  expect(parsed.error?.issues.map(({ path }) => path[0])).toContain(field);
});

test.each([
  [{}, []],
  [{ pin: 12 }, [12]],
  [{ pins: [17, 27] }, [17, 27]],
  [{ pin: 27, pins: [17, 27, 17] }, [17, 27]],
  [{ pin: 4, pins: null }, [4]],
])("a light with %j drives the pins %j", (input, expected) => {
  const light = LightSettings.parse(input);
  expect(light).toEqual({
    pin: null,
    pins: expected,
    pwm_support: false,
    pwm_frequency: 10_000,
    pwm_min: 0,
    pwm_max: 3.3,
  });
  expect(LightSettings.parse(light)).toEqual(light);
});

test.each([
  [{ pwm_frequency: 49 }, "pwm_frequency"],
  [{ pwm_frequency: 100_001 }, "pwm_frequency"],
  [{ pwm_max: 3.4 }, "pwm_max"],
  [{ pwm_min: -0.1 }, "pwm_min"],
  [{ pwm_min: 2, pwm_max: 1 }, "pwm_min"],
  [{ pins: "45" }, "pins"],
  [{ pins: 5 }, "pins"],
  [{ pin: "x" }, "pin"],
])("S4: light settings %j are refused at %s", (change, field) => {
  const parsed = LightSettings.safeParse(change);
  expect(parsed.error?.issues.map(({ path }) => path[0])).toContain(field);
});

test("camera settings: defaults, limits, and null for the driver's own choice", () => {
  expect(CameraSettings.parse({})).toMatchObject({
    shutter: 50,
    gain: 1,
    awbg_red: 1.8,
    jpeg_quality: 90,
    AF: true,
    manual_focus: 12,
    orientation_flag: 8,
    photo_resolution: null,
  });
  expect(CameraSettings.parse({ shutter: null }).shutter).toBeNull();
  for (const bad of [
    { shutter: 0 },
    { gain: 33 },
    { jpeg_quality: 101 },
    { manual_focus: 15.1 },
    { orientation_flag: 0 },
    { AF_window: [0, 0, -1, 1] },
    { photo_resolution: [640] },
  ])
    expect(CameraSettings.safeParse(bad).success).toBe(false);
});

test("a trigger needs a pin and bounds its pulse", () => {
  expect(TriggerSettings.parse({ pin: 10 })).toEqual({
    enabled: true,
    pin: 10,
    active_level: "active_high",
    pulse_width_ms: 100,
  });
  for (const bad of [{}, { pin: -1 }, { pin: 1, pulse_width_ms: 0 }, { pin: 1, pulse_width_ms: 5001 }])
    expect(TriggerSettings.safeParse(bad).success).toBe(false);
});

test("a configuration names drivers in two forms and keeps their settings", () => {
  const { motors, lights, cameras, endstops } = DeviceConfiguration.parse({
    name: "x",
    motors: {
      rotor: { ...pins, driver: "simulated" },
      turntable: { ...pins, driver: { kind: "serial", path: "/dev/ttyUSB0" } },
    },
    lights: { ring: { pin: 3 } },
    cameras: { cam: { type: "picamera2", path: "x", driver: "simulated" } },
    endstops: null,
  });
  expect(motors["rotor"]?.driver).toEqual({ kind: "simulated" });
  expect(motors["turntable"]?.driver).toEqual({ kind: "serial", path: "/dev/ttyUSB0" });
  expect(lights["ring"]).toMatchObject({ pin: null, pins: [3], pwm_support: false });
  expect(cameras["cam"]?.settings.shutter).toBe(50);
  expect(endstops).toEqual({});
});

test("an unconfigured device is a valid configuration; a wrong mode is not", () => {
  expect(DeviceConfiguration.parse({ name: "Unknown device" })).toMatchObject({
    model: null,
    shield: null,
    motors: {},
    scan_radius_mm: 1,
  });
  for (const bad of [
    {},
    { name: "x", model: "maxi" },
    { name: "x", startup_mode: "later" },
    { name: "x", scan_radius_mm: 0 },
  ])
    expect(DeviceConfiguration.safeParse(bad).success).toBe(false);
});
