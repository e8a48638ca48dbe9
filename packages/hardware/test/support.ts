import { CameraSettings, DeviceConfiguration, type MotorSettings } from "@openscan/protocol";
import { FakeClock, recordingLogger } from "@openscan/runtime/testing";
import type { z } from "zod";
import type { TwinView } from "../src/camera/twin/index.js";
import type { MotorDriver } from "../src/index.js";
import { Device, DriverRegistry } from "../src/index.js";
import { fault } from "../src/fault.js";
import { simulatedMotor } from "../src/motor/drivers/simulated.js";
import { Motor, type MotorHost } from "../src/motor/motor.js";
import type { AnyDriver } from "../src/registry.js";
import { SimulatedWorld, simulatedDrivers, simulatedLines } from "../src/simulated.js";

export const rotorSettings: MotorSettings = {
  direction_pin: 5,
  enable_pin: 23,
  step_pin: 6,
  acceleration: 20_000,
  max_speed: 5000,
  direction: 1,
  steps_per_rotation: 42_667,
  min_angle: 0,
  max_angle: 145,
  home_angle: 90,
};
export const tableSettings: MotorSettings = {
  ...rotorSettings,
  acceleration: 5000,
  steps_per_rotation: 3200,
  max_angle: 360,
};

/** A renderer that shows what it was asked to render. */
export function fakeRenderer() {
  const views: TwinView[] = [];
  const state = { views, closed: false };
  const see = (view: TwinView) => {
    views.push(view);
    return new TextEncoder().encode(`${view.theta.toFixed(2)} ${view.fi.toFixed(2)} ${view.light}`);
  };
  const intrinsics = { f: 965, cx: 640, cy: 480 };
  const renderer = {
    still: async (view: TwinView) => ({
      bytes: see(view),
      width: view.width,
      height: view.height,
      focusDioptres: 9.5,
      intrinsics,
    }),
    preview: async (view: TwinView) => see(view),
    close: async () => {
      state.closed = true;
    },
  };
  return { state, create: async () => renderer };
}

type ConfigurationInput = z.input<typeof DeviceConfiguration>;

/** A whole scanner: one of each component, the rotor with an endstop at its upper limit. */
export function configurationOf(changes: Partial<ConfigurationInput> = {}): DeviceConfiguration {
  return DeviceConfiguration.parse({
    name: "Test scanner",
    model: "mini",
    shield: "greenshield",
    cameras: { camera: { type: "picamera2", path: "simulated", settings: {} } },
    motors: { rotor: rotorSettings, turntable: tableSettings },
    lights: { "Ring light": { pins: [17, 27] } },
    triggers: { trigger: { pin: 10 } },
    endstops: { "rotor-endstop": { settings: { pin: 4, angular_position: 145, motor_name: "rotor" } } },
    scan_radius_mm: 110,
    ...changes,
  });
}

/** A device of simulated parts on a clock that the test moves; `extra` drivers come before the simulated ones. */
export function createDevice(extra: readonly AnyDriver[] = []) {
  const clock = new FakeClock();
  const log = recordingLogger();
  const world = new SimulatedWorld();
  const renderer = fakeRenderer();
  const drivers = new DriverRegistry([...extra, ...simulatedDrivers(world, renderer.create)], "simulated");
  const device = new Device({ clock, log, drivers, lines: simulatedLines(world) });
  const changes: string[] = [];
  device.changes.on(({ changed }) => changes.push(changed === null ? "null" : changed.join()));
  /** What was announced since the last call. */
  const announced = () => changes.splice(0);
  return { clock, log, world, renderer: renderer.state, device, announced };
}

/** As `createDevice`, initialised. */
export async function startDevice(
  changes: Partial<ConfigurationInput> = {},
  extra: readonly AnyDriver[] = [],
) {
  const created = createDevice(extra);
  await created.device.initialize(configurationOf(changes));
  created.announced();
  return created;
}

interface MotorParts {
  readonly settings?: Partial<MotorSettings>;
  readonly startAngle?: number;
  readonly host?: Partial<MotorHost>;
  readonly wrap?: (driver: MotorDriver) => MotorDriver;
}

/** One energised simulated motor without a device. */
export async function createMotor({
  settings = {},
  startAngle = 90,
  host = {},
  wrap = (driver) => driver,
}: MotorParts = {}) {
  const clock = new FakeClock();
  const world = new SimulatedWorld();
  const all = { ...rotorSettings, ...settings };
  const registry = new DriverRegistry([simulatedMotor(world)], "simulated");
  const open = registry.resolve("motor", "rotor", { kind: "simulated", start_angle: startAngle });
  const context = { name: "rotor", settings: all, scanRadiusMm: 110, clock, log: recordingLogger() };
  const driver = wrap(await open(context));
  const changes: string[] = [];
  const motor = new Motor({
    name: "rotor",
    settings: all,
    driver,
    clock,
    host: {
      claimed: () => () => {},
      prepare: async () => ({ calibrate: false }),
      stayAwake: () => {},
      ...host,
    },
    fault: (cause) => fault("motor rotor", cause),
    changed: (part) => changes.push(part),
  });
  await motor.enable(true);
  return { clock, world, driver, motor, changes };
}

export const cameraSettings: CameraSettings = CameraSettings.parse({});
