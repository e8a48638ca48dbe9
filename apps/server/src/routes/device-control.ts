import type { Device } from "@openscan/hardware";
import type { DeviceControl } from "@openscan/protocol";

/** The reply of an operation on the whole device. */
export function deviceControl(device: Device): (message: string) => DeviceControl {
  return (message) => ({ success: true, message, status: device.status() });
}
