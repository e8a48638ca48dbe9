import type { DeviceStatus, Task } from "@openscan/protocol";
import type { ScannerClient } from "../scanner-client.js";
import type { View } from "../store.js";
import { useStore } from "./use-store.js";

/** `useStore(client.device)`: the device, `null` while the scanner has no configuration. */
export function useDevice(client: Pick<ScannerClient, "device">): View<DeviceStatus | null>;
/** A part of it, as `useStore` selects it. */
export function useDevice<Selected>(
  client: Pick<ScannerClient, "device">,
  selector: (view: View<DeviceStatus | null>) => Selected,
): Selected;
export function useDevice(
  { device }: Pick<ScannerClient, "device">,
  selector: (view: View<DeviceStatus | null>) => unknown = (view) => view,
): unknown {
  return useStore(device, selector);
}

/** `useStore(client.tasks)`: all tasks of the scanner. */
export function useTasks(client: Pick<ScannerClient, "tasks">): View<readonly Task[]>;
/** A part of it, as `useStore` selects it. */
export function useTasks<Selected>(
  client: Pick<ScannerClient, "tasks">,
  selector: (view: View<readonly Task[]>) => Selected,
): Selected;
export function useTasks(
  { tasks }: Pick<ScannerClient, "tasks">,
  selector: (view: View<readonly Task[]>) => unknown = (view) => view,
): unknown {
  return useStore(tasks, selector);
}
