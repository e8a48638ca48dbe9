import { CameraSettings } from "./camera.js";
import type { DeviceStatus } from "./device.js";
import { LightSettings } from "./light.js";
import { MotorSettings } from "./motor.js";
import type { Task } from "./task.js";

// What messages look like in documents. Functions, so that they cost nothing where nobody asks.

export const taskId = "0b9c8f57-6f0f-4f5e-8a53-0d1a3a3c5b0e";

/** A scan under way. */
export function exampleTask(): Task {
  return {
    id: taskId,
    name: "scan_task",
    task_type: "scan_task",
    is_exclusive: true,
    is_blocking: false,
    status: "running",
    progress: { current: 12, total: 100, message: "12 of 100 positions photographed" },
    result: null,
    error: null,
    created_at: "2026-03-01T10:15:00.000Z",
    started_at: "2026-03-01T10:15:00.120Z",
    completed_at: null,
    run_args: [{ project_name: "vase", index: 1 }, 0],
    run_kwargs: {},
  };
}

/** A scanner whose turntable moves. */
export function exampleDevice(): DeviceStatus {
  const pins = { direction_pin: 9, enable_pin: 22, step_pin: 11 };
  return {
    name: "OpenScan Mini",
    model: "mini",
    shield: "greenshield",
    cameras: {
      imx519: { name: "imx519", type: "picamera2", busy: false, settings: CameraSettings.parse({}) },
    },
    motors: {
      turntable: {
        name: "turntable",
        angle: 90,
        busy: true,
        target_angle: 180,
        settings: MotorSettings.parse({ ...pins, steps_per_rotation: 3200 }),
        calibrated: true,
        endstop: null,
      },
    },
    lights: { ring: { name: "ring", is_on: true, settings: LightSettings.parse({ pins: [17, 27] }) } },
    triggers: {},
    endstops: {},
    motors_timeout: 0,
    scan_radius_mm: 105,
    startup_mode: "startup_enabled",
    calibrate_mode: "calibrate_manual",
    initialized: true,
    idle: false,
  };
}
