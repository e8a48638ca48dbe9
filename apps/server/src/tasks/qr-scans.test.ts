import { FirmwareSettings, ScanError } from "@openscan/protocol";
import { recordingLogger } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { startQrScanIfOffline } from "./qr-scans.js";

const down = async () => false;
const none = async (): Promise<boolean> => {
  throw new ScanError("unsupported", "nmcli cannot be run: it is not installed");
};
const broken = async (): Promise<boolean> => {
  throw new Error("unforeseen");
};

test.each<[string, Partial<FirmwareSettings>, string[], () => Promise<boolean>, string[], string[]]>([
  ["offline", {}, ["back", "front"], down, ["back"], ["info"]],
  ["with a network", {}, ["front"], async () => true, [], []],
  ["without a camera", {}, [], down, [], []],
  ["when it is switched off", { qr_wifi_scan_enabled: false }, ["front"], down, [], []],
  ["when previews are switched off", { camera_preview_enabled: false }, ["front"], down, [], []],
  ["without nmcli", {}, ["front"], none, [], ["info"]],
  ["when asking fails", {}, ["front"], broken, [], ["warn"]],
])("at the start, %s", async (_, settings, cameras, isUp, started, levels) => {
  const log = recordingLogger();
  const asked: unknown[] = [];
  await startQrScanIfOffline({
    settings: FirmwareSettings.parse(settings),
    network: { isUp },
    device: { cameras: new Map(cameras.map((name) => [name, {}])) },
    tasks: {
      create: async (type: string, args?: unknown[]) => {
        asked.push(...(args ?? []));
        expect(type).toBe("qr_scan_task");
        return {} as never;
      },
    },
    log,
  });
  expect(asked).toEqual(started);
  expect(log.lines.map(({ level }) => level)).toEqual(levels);
  // No stack for what is no fault.
  if (levels[0] === "info") expect(log.lines[0]?.fields).not.toHaveProperty("err");
});
