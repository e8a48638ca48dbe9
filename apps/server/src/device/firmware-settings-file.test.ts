import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@openscan/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FirmwareSettingsFile } from "./firmware-settings-file.js";

const defaults = { qr_wifi_scan_enabled: true, enable_cloud: false, camera_preview_enabled: true };
let directory = "";
beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), "openscan-firmware-")), "firmware");
});
afterEach(() => rm(join(directory, ".."), { recursive: true, force: true }));

const file = (name = "firmware_settings.json") => join(directory, name);
async function load(content?: string): Promise<FirmwareSettingsFile> {
  if (content !== undefined) {
    await mkdir(directory, { recursive: true });
    await writeFile(file(), content);
  }
  const firmware = new FirmwareSettingsFile({ directory, log: silentLogger });
  await firmware.load();
  return firmware;
}

test("the first start makes the file with the defaults, four spaces and a newline at its end", async () => {
  expect((await load()).get()).toEqual(defaults);
  expect(await readFile(file(), "utf8")).toBe(`${JSON.stringify(defaults, null, 4)}\n`);
});

test("a change is in the file before anybody reads it, and there after a restart", async () => {
  const firmware = await load();
  expect(await firmware.change((old) => ({ ...old, enable_cloud: true }))).toEqual({
    ...defaults,
    enable_cloud: true,
  });
  expect((await load()).get().enable_cloud).toBe(true);
});

test("changes made at the same time do not undo each other", async () => {
  const firmware = await load();
  await Promise.all([
    firmware.change((old) => ({ ...old, enable_cloud: true })),
    firmware.change((old) => ({ ...old, qr_wifi_scan_enabled: false })),
  ]);
  expect(firmware.get()).toEqual({ ...defaults, enable_cloud: true, qr_wifi_scan_enabled: false });
});

test("keys that this version does not know stay in the file, and are not reported", async () => {
  const firmware = await load('{"enable_cloud": true, "coming_soon": {"a": 1}}');
  expect(firmware.get()).toEqual({ ...defaults, enable_cloud: true });
  await firmware.replace(defaults);
  expect(JSON.parse(await readFile(file(), "utf8"))).toEqual({ ...defaults, coming_soon: { a: 1 } });
});

test.each(["{", "", "[]", '"x"', '{"enable_cloud": tr'])(
  "the unreadable file %j counts as the defaults and is kept aside",
  async (damaged) => {
    expect((await load(damaged)).get()).toEqual(defaults);
    expect(await readFile(file("firmware_settings.damaged.json"), "utf8")).toBe(damaged);
    expect(JSON.parse(await readFile(file(), "utf8"))).toEqual(defaults);
  },
);

test("one wrong value takes its default; the others, and the damaged file, stay", async () => {
  const damaged = '{"enable_cloud": true, "camera_preview_enabled": "perhaps", "other": 1}';
  expect((await load(damaged)).get()).toEqual({ ...defaults, enable_cloud: true });
  expect(await readFile(file("firmware_settings.damaged.json"), "utf8")).toBe(damaged);
  expect(JSON.parse(await readFile(file(), "utf8"))).toEqual({ ...defaults, enable_cloud: true, other: 1 });
});

test("what a killed process left half-written is swept, and the file is whole", async () => {
  await load();
  await writeFile(file(".tmp_0123_firmware_settings.json"), "{");
  expect((await load()).get()).toEqual(defaults);
  expect(await readdir(directory)).toEqual(["firmware_settings.json"]);
});

test("a disk that takes no file: the start goes on with the defaults, a change is refused and changes nothing", async () => {
  await writeFile(directory, "a file where the folder should be");
  const firmware = await load();
  expect(firmware.get()).toEqual(defaults);
  await expect(firmware.replace({ ...defaults, enable_cloud: true })).rejects.toMatchObject({
    code: "storage",
    message: expect.stringContaining("firmware_settings.json") as string,
  });
  expect(firmware.get()).toEqual(defaults);
});
