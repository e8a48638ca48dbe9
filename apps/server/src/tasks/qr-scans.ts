import { type FirmwareSettings, ScanError, type Task } from "@openscan/protocol";
import type { Logger } from "@openscan/runtime";
import type { TaskManager } from "@openscan/tasks";
import type { Network } from "../wifi/network.js";
import { qrScanTaskType } from "./qr-scan-task.js";

const KEPT_ERRORS = 3;

interface Start {
  readonly settings: FirmwareSettings;
  readonly network: Pick<Network, "isUp">;
  readonly device: { readonly cameras: { keys(): Iterable<string> } };
  readonly tasks: Pick<TaskManager, "create">;
  readonly log: Logger;
}

/** A scanner that nobody can reach looks for the Wi-Fi by itself, unless its user does not want that. Never rejects. */
export async function startQrScanIfOffline({ settings, network, device, tasks, log }: Start): Promise<void> {
  if (!settings.qr_wifi_scan_enabled || !settings.camera_preview_enabled) return;
  const [camera] = device.cameras.keys();
  if (camera === undefined) return;
  try {
    if (await network.isUp()) return;
    await tasks.create(qrScanTaskType, [camera]);
    log.info({ camera }, "there is no network: looking for a Wi-Fi QR code");
  } catch (err) {
    // That there is no nmcli is no fault: most machines that are no scanner have none.
    if (err instanceof ScanError) log.info({ reason: err.message }, "no look-out for a Wi-Fi QR code");
    else log.warn({ err }, "no look-out for a Wi-Fi QR code");
  }
}

/** One scan follows another, start after start: what became of them is of no interest, but for the latest failures. */
export async function forgetEarlierQrScans(
  tasks: Pick<TaskManager, "list" | "isWorking" | "delete">,
  ownId: string,
): Promise<void> {
  const ended = (...statuses: Task["status"][]) =>
    tasks
      .list()
      .filter(
        ({ id, task_type, status }) =>
          task_type === qrScanTaskType && id !== ownId && statuses.includes(status) && !tasks.isWorking(id),
      );
  const errors = ended("error").sort((a, b) => a.created_at.localeCompare(b.created_at));
  for (const { id } of [...ended("cancelled", "interrupted"), ...errors.slice(0, -KEPT_ERRORS)])
    await tasks.delete(id);
}
