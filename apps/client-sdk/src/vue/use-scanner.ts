import type { DeviceStatus, Task } from "@openscan/protocol";
import { type MaybeRefOrGetter, type ShallowRef, toValue } from "vue";
import type { ScannerClient } from "../scanner-client.js";
import type { View } from "../store.js";
import { useStore } from "./use-store.js";

/** `useStore(client.device)`: the device, `null` while the scanner has no configuration. */
export function useDevice(
  client: MaybeRefOrGetter<Pick<ScannerClient, "device">>,
): Readonly<ShallowRef<View<DeviceStatus | null>>> {
  return useStore(() => toValue(client).device);
}

/** `useStore(client.tasks)`: all tasks of the scanner. */
export function useTasks(
  client: MaybeRefOrGetter<Pick<ScannerClient, "tasks">>,
): Readonly<ShallowRef<View<readonly Task[]>>> {
  return useStore(() => toValue(client).tasks);
}
