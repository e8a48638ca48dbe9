export { Camera, type CaptureOptions, type Photo } from "./camera/camera.js";
export type { CameraDriver, CaptureRequest, Shot } from "./camera/driver.js";
export type { ShotFacts } from "./camera/exif.js";
export type { PreviewViewer } from "./camera/preview-loop.js";
export { settledWhiteBalance, type WhiteBalance, type WhiteBalanceSearch } from "./camera/white-balance.js";
export {
  type ComponentKind,
  type Components,
  type DetectedCamera,
  type DriverContext,
  type DriverDefinition,
  type DriverSource,
  defineCameraDriver,
  defineEndstopDriver,
  defineLightDriver,
  defineMotorDriver,
  defineTriggerDriver,
} from "./define.js";
export { Device, type DeviceChange, type DeviceOptions } from "./device.js";
export type { EndstopDriver } from "./endstop/driver.js";
export { Endstop } from "./endstop/endstop.js";
export { GpioPins } from "./gpio/gpio-pins.js";
export type { GpioLines } from "./gpio/lines.js";
export type { LightDriver } from "./light/driver.js";
export type { Fault } from "./fault.js";
export { Light } from "./light/light.js";
export type { MotorDriver, MoveOptions } from "./motor/driver.js";
export { Motor } from "./motor/motor.js";
export { planSteps, type Speed, type StepProfile } from "./motor/profile.js";
export { checkReachable, type Position } from "./reachable.js";
export { type AnyDriver, DriverRegistry } from "./registry.js";
export { Settings } from "./settings.js";
export type { TriggerDriver } from "./trigger/driver.js";
export { Trigger } from "./trigger/trigger.js";
