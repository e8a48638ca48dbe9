import type { DeviceStatus, MotorStatus } from "@openscan/protocol";

/** A scanner with two motors, a camera and a light, at rest. */
export const defaultDevice: DeviceStatus = {
  name: "Fake OpenScan Mini",
  model: "mini",
  shield: "greenshield",
  cameras: {
    camera: {
      name: "camera",
      type: "picamera2",
      busy: false,
      settings: {
        shutter: 50,
        saturation: 1,
        contrast: 1,
        awbg_red: 1.8,
        awbg_blue: 1.8,
        gain: 1,
        jpeg_quality: 90,
        AF: true,
        AF_window: null,
        manual_focus: 12,
        crop_width: 10,
        crop_height: 10,
        orientation_flag: 8,
        preview_resolution: null,
        photo_resolution: null,
      },
    },
  },
  motors: { rotor: motor("rotor", 5, 90), turntable: motor("turntable", 9, 0) },
  lights: {
    ringlight: {
      name: "ringlight",
      is_on: false,
      settings: {
        pin: null,
        pins: [17, 27],
        pwm_support: false,
        pwm_frequency: 10_000,
        pwm_min: 0,
        pwm_max: 3.3,
      },
    },
  },
  triggers: {},
  endstops: {},
  motors_timeout: 0,
  scan_radius_mm: 105,
  startup_mode: "startup_enabled",
  calibrate_mode: "calibrate_manual",
  initialized: true,
  idle: false,
};

function motor(name: string, firstPin: number, angle: number): MotorStatus {
  return {
    name,
    angle,
    busy: false,
    target_angle: null,
    settings: {
      direction_pin: firstPin,
      enable_pin: firstPin + 1,
      step_pin: firstPin + 2,
      acceleration: 20_000,
      max_speed: 5000,
      direction: 1,
      steps_per_rotation: 3200,
      min_angle: 0,
      max_angle: 360,
      home_angle: 90,
    },
    calibrated: true,
    endstop: null,
  };
}
