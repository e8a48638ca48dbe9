/** Events differ in one angle; after this many they repeat. */
export const distinctEvents = 260;

const camera = (name) => ({
  name,
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
});

const motor = (name, angle) => ({
  name,
  angle,
  busy: true,
  target_angle: 359,
  settings: {
    direction_pin: 5,
    enable_pin: 23,
    step_pin: 6,
    acceleration: 20000,
    max_speed: 5000,
    direction: 1,
    steps_per_rotation: 3200,
    min_angle: 0,
    max_angle: 360,
    home_angle: 90,
  },
  calibrated: true,
  endstop: null,
});

const light = (name) => ({
  name,
  is_on: true,
  settings: { pin: null, pins: [17, 27], pwm_support: false },
});

const shutter = {
  name: "shutter",
  busy: false,
  settings: { enabled: true, pin: 10, active_level: "active_high", pulse_width_ms: 100 },
  last_triggered_at: null,
  last_completed_at: null,
  last_duration_ms: null,
};

const endstop = {
  settings: {
    pin: 24,
    angular_position: 110,
    motor_name: "rotor",
    pull_up: true,
    bounce_time: 0.005,
    active_high: false,
  },
};

/** A `device.status` event of about 1.6 kB: six components, of which the turntable moves. */
export function deviceStatus(index) {
  return {
    type: "device.status",
    device: {
      name: "OpenScan Mini",
      model: "mini",
      shield: "greenshield",
      cameras: { imx519: camera("imx519") },
      motors: { rotor: motor("rotor", 90), turntable: motor("turntable", 100 + (index % distinctEvents)) },
      lights: { ring: light("ring") },
      triggers: { shutter },
      endstops: { rotor_end: endstop },
      motors_timeout: 0,
      scan_radius_mm: 105,
      startup_mode: "startup_enabled",
      calibrate_mode: "calibrate_manual",
      initialized: true,
      idle: false,
    },
    changed: ["motors.turntable.angle"],
  };
}
