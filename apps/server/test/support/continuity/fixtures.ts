import { DeviceStatus, LiveTask } from "@openscan/protocol";

export const motorNames = ["turntable", "rotor.a/b~c d"] as const;

const settings = { direction_pin: 1, enable_pin: 2, step_pin: 3, steps_per_rotation: 3200 };

const device = DeviceStatus.parse({
  name: "simulated",
  model: null,
  shield: "",
  cameras: {},
  motors: Object.fromEntries(
    motorNames.map((name) => [
      name,
      { name, angle: 0, busy: false, target_angle: null, settings, calibrated: true, endstop: null },
    ]),
  ),
  lights: { ring: { name: "ring", is_on: false, settings: { pins: [1], pwm_support: false } } },
  triggers: {},
  endstops: {},
  motors_timeout: 0,
  scan_radius_mm: 0,
  startup_mode: "startup_enabled",
  calibrate_mode: "calibrate_manual",
  initialized: true,
  idle: false,
});

export function firstDevice(): DeviceStatus {
  return device;
}

export function firstTask(id: string, created: string, revision: number, padding: number): LiveTask {
  return {
    id,
    name: "scan",
    task_type: "scan_task",
    is_exclusive: true,
    is_blocking: false,
    status: "pending",
    progress: { current: 0, total: 0, message: "" },
    result: null,
    error: null,
    created_at: created,
    started_at: null,
    completed_at: null,
    run_args: ["r".repeat(padding)],
    run_kwargs: {},
    revision,
  };
}
