import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DeviceConfiguration } from "@openscan/protocol";
import { silentLogger } from "@openscan/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Configurations } from "./configurations.js";

const presetDir = fileURLToPath(new URL("../../presets", import.meta.url));
let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "openscan-configurations-"));
});
afterEach(() => rm(directory, { recursive: true }));

async function open(): Promise<Configurations> {
  const configurations = new Configurations({
    directory: join(directory, "device"),
    presetDir,
    initialPreset: "simulated_mini.json",
    log: silentLogger,
  });
  await configurations.prepare();
  return configurations;
}
const file = (name: string) => join(directory, "device", name);

test("the first start has every preset and one in use; the second keeps what the user made of it", async () => {
  const first = await open();
  expect(await first.current()).toMatchObject({
    name: "Simulated OpenScan Mini",
    model: "mini",
    scan_radius_mm: 110,
  });
  expect((await first.list()).map(({ filename }) => filename).sort()).toEqual(
    [...(await readdir(presetDir)), "device_config.json"].sort(),
  );
  const mine = { ...(await first.current()), name: "mine" };
  await first.save(() => mine);
  await rm(file("example_custom.json"));
  const second = await open();
  expect((await second.current()).name).toBe("mine");
  expect((await second.list()).map(({ filename }) => filename)).not.toContain("example_custom.json");
});

test("a folder that holds only the configuration in use gets the presets too", async () => {
  await mkdir(join(directory, "device"));
  await writeFile(file("device_config.json"), JSON.stringify({ name: "mine" }));
  const configurations = await open();
  expect((await configurations.current()).name).toBe("mine");
  expect((await configurations.list()).map(({ filename }) => filename)).toContain(
    "default_mini_greenshield.json",
  );
});

test.each(await readdir(presetDir))("preset %s is a valid configuration", async (name) => {
  const parsed = DeviceConfiguration.parse(JSON.parse(await readFile(join(presetDir, name), "utf8")));
  if (name !== "unconfigured.json") expect(Object.keys(parsed.motors)).toEqual(["rotor", "turntable"]);
});

test("a configuration is found by name, with or without extension, and by its listed path", async () => {
  const configurations = await open();
  for (const name of [
    "default_mini_greenshield.json",
    "default_mini_greenshield",
    file("default_mini_greenshield.json"),
  ])
    expect((await configurations.read(name)).name).toBe("OpenScan.eu Mini");
});

test.each(["../firmware.json", "/etc/passwd", "none.json", "device/device_config.json", "..", ""])(
  "defect D8: %j is not read",
  async (name) => {
    const configurations = await open();
    await expect(configurations.read(name)).rejects.toMatchObject({
      code: "not_found",
      detail: { available_configs: expect.arrayContaining(["device_config.json"]) as string[] },
    });
  },
);

test("files that are broken or wrong are listed as far as they can be, and refused by name", async () => {
  const configurations = await open();
  await writeFile(file("broken.json"), "{");
  await writeFile(
    file("wrong.json"),
    JSON.stringify({ name: "w", model: "maxi", motors: { rotor: { acceleration: 1 } } }),
  );
  await writeFile(file("list.json"), "[]");
  const listed = await configurations.list();
  expect(listed.find(({ filename }) => filename === "broken.json")).toEqual({
    filename: "broken.json",
    path: file("broken.json"),
  });
  expect(listed.find(({ filename }) => filename === "wrong.json")).toMatchObject({
    name: "w",
    model: "maxi",
    shield: "Unknown",
  });
  await expect(configurations.read("broken.json")).rejects.toThrow("broken.json is not JSON");
  await expect(configurations.read("wrong.json")).rejects.toThrow(/wrong\.json[\s\S]*rotor/);
  await expect(configurations.read("list.json")).rejects.toMatchObject({ code: "invalid" });
});

test.each(["{", JSON.stringify({ name: "x", motors: { rotor: { step_pin: 1 } } })])(
  "a damaged configuration %s starts the scanner without one, and is kept",
  async (damaged) => {
    const configurations = await open();
    expect((await configurations.atStart()).model).toBe("mini");
    await rm(file("unconfigured.json"));
    await writeFile(file("device_config.json"), damaged);
    expect(await configurations.atStart()).toMatchObject({ model: null, shield: null, motors: {} });
    expect(await readFile(file("device_config.json"), "utf8")).toBe(damaged);
    const mini = await configurations.read("default_mini_greenshield");
    await configurations.save(() => mini);
    expect(await readFile(file("device_config.damaged.json"), "utf8")).toBe(damaged);
    expect((await configurations.atStart()).model).toBe("mini");
  },
);

test("a folder or a file that is gone in place of a configuration is no failure of the server", async () => {
  const configurations = await open();
  await mkdir(file("folder.json"));
  await symlink("nowhere", file("dangling.json"));
  const listed = await configurations.list();
  expect(listed.map(({ filename }) => filename)).not.toContain("folder.json");
  await expect(configurations.read("folder.json")).rejects.toMatchObject({ code: "not_found" });
  await expect(configurations.read("dangling.json")).rejects.toMatchObject({ code: "storage" });
  await rm(join(directory, "device"), { recursive: true });
  expect(await configurations.list()).toEqual([]);
  await expect(configurations.current()).rejects.toMatchObject({ code: "not_found" });
});

test("a damaged configuration that cannot be copied does not keep the scanner from starting", async () => {
  const configurations = await open();
  await writeFile(file("device_config.json"), "{");
  await mkdir(file("device_config.damaged.json"));
  expect(await configurations.atStart()).toMatchObject({ model: null, shield: null });
});

test("D9: a configuration that cannot be put into use leaves the file of the one in use", async () => {
  const configurations = await open();
  const before = await readFile(file("device_config.json"), "utf8");
  const mini = await configurations.read("default_mini_greenshield");
  const seen: string[] = [];
  const refuse = async () => {
    seen.push(await readFile(file("device_config.json"), "utf8"));
    throw new Error("the hardware is gone");
  };
  await expect(configurations.putIntoUse(mini, refuse)).rejects.toThrow("the hardware is gone");
  expect(JSON.parse(seen[0] ?? "")).toEqual(mini);
  expect(await readFile(file("device_config.json"), "utf8")).toBe(before);
  await rm(file("device_config.json"));
  await expect(configurations.putIntoUse(mini, refuse)).rejects.toThrow("the hardware is gone");
  expect((await readdir(join(directory, "device"))).filter((name) => !/^[a-z].*\.json$/.test(name))).toEqual(
    [],
  );
  await expect(configurations.current()).rejects.toMatchObject({ code: "not_found" });
});

test("D9: a disk that takes no more keeps a configuration from being put into use at all", async () => {
  const configurations = await open();
  const mini = await configurations.read("default_mini_greenshield");
  await rm(join(directory, "device"), { recursive: true });
  await writeFile(join(directory, "device"), "no folder");
  const used: unknown[] = [];
  const use = async () => {
    used.push(mini);
    return mini;
  };
  await expect(configurations.putIntoUse(mini, use)).rejects.toMatchObject({ code: "storage" });
  await expect(configurations.save(() => mini)).rejects.toMatchObject({ code: "storage" });
  await expect(configurations.add("x.json", mini)).rejects.toMatchObject({ code: "storage" });
  expect(used).toEqual([]);
  await rm(join(directory, "device"));
});

test("defect D7: reading never writes", async () => {
  const configurations = await open();
  const compact = JSON.stringify({ name: "compact" });
  await writeFile(file("device_config.json"), compact);
  await configurations.current();
  await configurations.list();
  expect(await readFile(file("device_config.json"), "utf8")).toBe(compact);
});

test("what is saved is read back the same, with four spaces as the existing backend writes it", async () => {
  const configurations = await open();
  const configuration = await configurations.current();
  await configurations.save(() => configuration);
  expect(await configurations.current()).toEqual(configuration);
  expect(await readFile(file("device_config.json"), "utf8")).toMatch(/^\{\n {4}"name"/);
});
