import { z } from "zod";
import { defineEndpoint } from "./endpoint.js";

/** What the user has decided about the software, whichever device it drives. */
export const FirmwareSettings = z.object({
  qr_wifi_scan_enabled: z
    .boolean()
    .default(true)
    .describe("without a network, look for a Wi-Fi QR code at start-up"),
  enable_cloud: z.boolean().default(false).describe("UIs offer what needs the cloud"),
  camera_preview_enabled: z.boolean().default(true),
});
export type FirmwareSettings = z.output<typeof FirmwareSettings>;

const versions = ["0.9", "next"] as const;

export const getFirmwareSettings = defineEndpoint({
  operationId: "get_settings",
  method: "get",
  path: "/firmware/settings",
  versions,
  response: FirmwareSettings,
});
/** Omitted settings take their defaults. */
export const replaceFirmwareSettings = defineEndpoint({
  operationId: "replace_settings",
  method: "put",
  path: "/firmware/settings",
  versions,
  body: FirmwareSettings,
  response: FirmwareSettings,
});
export const updateFirmwareSetting = defineEndpoint({
  operationId: "update_setting",
  method: "patch",
  path: "/firmware/settings/{key}",
  versions,
  params: z.object({ key: z.string() }),
  body: z.object({ value: z.unknown() }),
  response: FirmwareSettings,
});
