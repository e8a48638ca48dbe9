import {
  FirmwareSettings,
  getFirmwareSettings,
  replaceFirmwareSettings,
  ScanError,
  updateFirmwareSetting,
} from "@openscan/protocol";
import { z } from "zod";
import type { FirmwareSettingsFile } from "../device/firmware-settings-file.js";
import { parseLenient } from "../http/lenient.js";
import { validationError } from "../http/problems.js";
import { type Route, route } from "../http/route.js";

export function firmwareRoutes(firmware: FirmwareSettingsFile): Route[] {
  return [
    route(getFirmwareSettings, () => firmware.get()),
    route(replaceFirmwareSettings, ({ body }) => firmware.replace(body)),
    route(updateFirmwareSetting, ({ params: { key }, body: { value } }) => {
      const known = FirmwareSettings.keyof().safeParse(key);
      if (!known.success)
        throw new ScanError("not_found", `there is no firmware setting ${JSON.stringify(key)}`);
      const schema = z.object({ value: FirmwareSettings.shape[known.data] });
      const patch = parseLenient(schema, { value }, "body");
      if (!patch.success) throw validationError("body", patch.error, { value });
      return firmware.change((settings) => ({ ...settings, [known.data]: patch.data.value }));
    }),
  ];
}
