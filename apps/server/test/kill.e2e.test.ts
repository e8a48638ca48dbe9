import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { PhotoMetadata, Scan, type Task } from "@openscan/protocol";
import sharp from "sharp";
import { expect, onTestFinished, test } from "vitest";
import { became, taskOf } from "./support/api.js";
import { spawnServer } from "./support/child.js";
import { createFolder, quickConfiguration } from "./support/folder.js";

const points = 12;

async function scannerFolder() {
  const folder = await createFolder(await quickConfiguration());
  onTestFinished(() => folder.remove());
  return folder;
}

test("defect 28: killed at random moments of one scan, the server loses, doubles and truncates nothing", async () => {
  const folder = await scannerFolder();
  const scanDir = join(folder.directories.projectDir, "vase", "scan01");
  let id = "";
  for (let round = 0; round < 4; round++) {
    const server = await spawnServer(folder);
    const tasks = await server.api.listen("tasks");
    if (round === 0) ({ id } = await server.api.startScan("vase", { points }));
    else {
      const { body: restored } = await server.api.call<Task>("GET", `/latest/tasks/${id}`);
      expect(restored).toMatchObject({ id, status: "interrupted" });
      const { body: scan } = await server.api.call<Scan>("GET", "/latest/projects/vase/scans/1");
      await expectWhole(scanDir, scan);
      const { body: resumed } = await server.api.call<Task>("POST", `/latest/tasks/${id}/resume`);
      expect(["pending", "running"]).toContain(resumed.status);
      // It goes on where it was: no position that is done is done again.
      const first = await tasks.find(
        (message) => became(id, "running")(message) && taskOf(message).progress.total === points,
      );
      expect(taskOf(first).progress.current).toBeGreaterThanOrEqual(scan.current_step);
    }
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 700));
    server.process.kill("SIGKILL");
    await tasks.closed;
  }
  const server = await spawnServer(folder);
  const tasks = await server.api.listen("tasks");
  await server.api.call("POST", `/latest/tasks/${id}/resume`);
  await tasks.find(became(id, "completed"));
  const { body: scan } = await server.api.call<Scan>("GET", "/latest/projects/vase/scans/1");
  expect(scan).toMatchObject({ status: "completed", current_step: points });
  expect(scan.photos).toHaveLength(points);
  await expectWhole(scanDir, scan);
  expect(await server.stop("SIGINT")).toBe(0);
  expect((await readdir(scanDir)).filter((name) => name.startsWith("."))).toEqual([]);
}, 120_000);

/** Every photo listed is on disk, whole, once, with its metadata; nothing else is there. */
async function expectWhole(scanDir: string, scan: Scan): Promise<void> {
  expect(new Set(scan.photos).size).toBe(scan.photos.length);
  expect((await readdir(scanDir)).filter((name) => name.endsWith(".jpg")).sort()).toEqual(
    [...scan.photos].sort(),
  );
  for (const photo of scan.photos) {
    const { data, info } = await sharp(join(scanDir, photo), { failOn: "truncated" })
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(data).toHaveLength(info.width * info.height * info.channels);
    const metadata = await readFile(join(scanDir, "metadata", photo.replace(".jpg", ".json")), "utf8");
    expect(PhotoMetadata.safeParse(JSON.parse(metadata)).success).toBe(true);
  }
  expect(Scan.parse(JSON.parse(await readFile(join(scanDir, "scan.json"), "utf8"))).photos).toEqual(
    scan.photos,
  );
}

test.each([
  ["SIGINT", 1001, false],
  ["SIGTERM", 1012, true],
] as const)(
  "%s in mid-scan: clients get %i, the task is interrupted and saved, the next start is clean",
  async (signal, code, comeBack) => {
    const folder = await scannerFolder();
    const server = await spawnServer(folder);
    const tasks = await server.api.listen("tasks");
    const device = await server.api.listen("device");
    const { id } = await server.api.startScan("vase", { points });
    await tasks.find((message) => became(id, "running")(message) && taskOf(message).progress.current >= 1);
    expect(await server.stop(signal)).toBe(0);
    expect(taskOf(tasks.messages.at(-1) ?? { type: "none" })).toMatchObject({ id, status: "interrupted" });
    for (const { closed } of [tasks, device]) {
      const { code: closeCode, reason } = await closed;
      expect(closeCode).toBe(code);
      if (comeBack) expect(JSON.parse(reason)).toEqual({ retry_after_ms: expect.any(Number) as number });
    }
    const next = await spawnServer(folder);
    expect((await next.api.call("GET", "/v0.9")).body).toMatchObject({ last_shutdown_was_unclean: false });
    expect((await next.api.call("GET", `/latest/tasks/${id}`)).body).toMatchObject({ status: "interrupted" });
    const again = await next.api.listen("tasks");
    await next.api.call("PATCH", "/latest/projects/vase/scans/1/resume?camera_name=simulated_camera");
    await again.find((message) => message.type === "task.update" && taskOf(message).status === "completed");
    await next.stop("SIGKILL");
    const last = await spawnServer(folder);
    expect((await last.api.call("GET", "/v0.9")).body).toMatchObject({ last_shutdown_was_unclean: true });
  },
  60_000,
);

test("a second server started by mistake gives up and harms nothing of the first one's scan", async () => {
  const folder = await scannerFolder();
  const server = await spawnServer(folder);
  const tasks = await server.api.listen("tasks");
  const { id } = await server.api.startScan("vase", { points });
  const { port } = new URL(server.api.url);
  for (let attempt = 0; attempt < 3; attempt++)
    await expect(spawnServer(folder, ["--port", port])).rejects.toThrow(`port ${port} is in use`);
  await tasks.find(became(id, "completed"));
  const { body: scan } = await server.api.call<Scan>("GET", "/latest/projects/vase/scans/1");
  expect(scan.photos).toHaveLength(points);
  await expectWhole(join(folder.directories.projectDir, "vase", "scan01"), scan);
}, 60_000);

test("a second server on another port but the same directories is refused, until the first one has ended", async () => {
  const folder = await scannerFolder();
  const first = await spawnServer(folder);
  const refusal = `${folder.directories.projectDir} is in use by another OpenScan server, process ${first.process.pid}`;
  await expect(spawnServer(folder)).rejects.toThrow(refusal);
  expect((await first.api.call("GET", "/health")).status).toBe(200);
  await first.stop("SIGKILL");
  const second = await spawnServer(folder);
  expect(await second.stop("SIGTERM")).toBe(0);
  for (const directory of [folder.directories.projectDir, folder.directories.runtimeDir])
    expect(await readdir(directory)).not.toContain(".openscan_server.lock");
});

test("a port in use ends the start with a sentence that names it", async () => {
  const folder = await scannerFolder();
  const server = await spawnServer(folder);
  const { port } = new URL(server.api.url);
  await expect(spawnServer(folder, ["--port", port])).rejects.toThrow(`port ${port} is in use`);
});

test("a start that cannot be noted, as on a full disk, is still a start", async () => {
  const folder = await scannerFolder();
  await mkdir(join(folder.directories.runtimeDir, "firmware_state.lock"), { recursive: true });
  const { api, stop } = await spawnServer(folder);
  expect((await api.call("GET", "/health")).status).toBe(200);
  await stop("SIGINT");
});

test("a broken configuration leaves a server on which another one can be chosen", async () => {
  const broken = await createFolder({ name: "x", motors: { rotor: { step_pin: 1 } } });
  onTestFinished(() => broken.remove());
  const { api } = await spawnServer(broken);
  expect(await api.call("GET", "/latest/device/info")).toMatchObject({
    status: 503,
    body: { detail: { message: "Device configuration is not loaded." } },
  });
  const body = { config_file: "simulated_mini.json" };
  const chosen = await api.call("PUT", "/latest/device/configurations/current", body);
  expect(chosen).toMatchObject({ status: 200, body: { status: { model: "mini", initialized: true } } });
  expect(
    await readFile(join(broken.directories.settingsDir, "device", "device_config.damaged.json"), "utf8"),
  ).toContain("step_pin");
});
