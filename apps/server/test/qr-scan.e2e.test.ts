import type { Task } from "@openscan/protocol";
import { expect, onTestFinished, test } from "vitest";
import { spawnServer } from "./support/child.js";
import { createFolder, quickConfiguration } from "./support/folder.js";
import { startServer } from "./support/in-process.js";
import { installNmcli } from "./support/nmcli.js";

type Server = Pick<Awaited<ReturnType<typeof spawnServer>>, "api">;

/** A folder for a scanner whose machine has, to begin with, no network. */
async function createScanner() {
  const folder = await createFolder(await quickConfiguration());
  onTestFinished(() => folder.remove());
  const nmcli = await installNmcli();
  return { nmcli, start: () => spawnServer(folder, [], nmcli.env as Record<string, string>) };
}

const qrScans = async ({ api }: Server) =>
  (await api.call<Task[]>("GET", "/latest/tasks/")).body.filter(({ name }) => name === "qr_scan_task");
const statuses = async (server: Server) => (await qrScans(server)).map(({ status }) => status);
const settings = async ({ api }: Server) => (await api.call("GET", "/latest/firmware/settings")).body;

test("defect 1: without a network it looks for a code from the start on, and a scan starts all the same", async () => {
  const { start } = await createScanner();
  const server = await start();
  await expect.poll(() => statuses(server), { timeout: 30_000 }).toEqual(["running"]);
  const { id } = await server.api.startScan("vase", { points: 3 });
  const scan = async () => (await server.api.call<Task>("GET", `/latest/tasks/${id}`)).body;
  await expect.poll(async () => (await scan()).status, { timeout: 60_000 }).toBe("completed");
  expect(await qrScans(server)).toMatchObject([
    { status: "cancelled", error: "Task cancelled to make room for scan_task." },
  ]);
  // Nobody did not want it: the next start looks again, and forgets this one.
  expect(await settings(server)).toMatchObject({ qr_wifi_scan_enabled: true });
  await server.stop("SIGTERM");
  const next = await start();
  await expect.poll(() => statuses(next), { timeout: 30_000 }).toEqual(["running"]);
}, 150_000);

test("defect 12: a user who cancels it is not asked again", async () => {
  const { start } = await createScanner();
  const server = await start();
  await expect.poll(() => statuses(server), { timeout: 30_000 }).toEqual(["running"]);
  const [task] = await qrScans(server);
  await server.api.call("DELETE", `/v0.8/tasks/${task?.id}`);
  await expect
    .poll(() => settings(server), { timeout: 30_000 })
    .toMatchObject({ qr_wifi_scan_enabled: false });
  await server.stop("SIGKILL");
  const next = await start();
  await expect.poll(() => next.output()).toContain("is ready");
  expect(await statuses(next)).toEqual(["cancelled"]);
  // Asked for by hand it looks all the same.
  const camera = "simulated_camera";
  const started = await next.api.call<Task>("POST", `/v0.9/develop/qr-scan?camera_name=${camera}`);
  expect(started).toMatchObject({
    status: 202,
    body: { name: "qr_scan_task", run_args: [camera], status: "running" },
  });
  expect(await settings(next)).toMatchObject({ qr_wifi_scan_enabled: false });
}, 150_000);

test("with a network it does not start by itself, and ends by itself when there is one", async () => {
  const { start, nmcli } = await createScanner();
  const up = { "--terse --fields STATE general": "echo connected" };
  await nmcli.answer(up);
  const server = await start();
  await expect.poll(async () => (await nmcli.calls()).length).toBe(1);
  expect(await statuses(server)).toEqual([]);
  await nmcli.answer({});
  await server.api.call("POST", "/next/develop/qr-scan?camera_name=simulated_camera");
  await nmcli.answer(up);
  await expect.poll(() => qrScans(server), { timeout: 60_000 }).toMatchObject([{ status: "completed" }]);
  expect((await qrScans(server))[0]?.result).toEqual({ reason: "The network is up." });
}, 150_000);

test("where no network can be set up, the task says so; unknown cameras and old versions have none", async () => {
  const server = await startServer();
  const ask = async (path: string) => (await server.api.call("POST", path)).status;
  expect(await ask("/latest/develop/qr-scan?camera_name=simulated_camera")).toBe(202);
  await expect
    .poll(() => qrScans(server))
    .toMatchObject([{ status: "error", error: "this server has no access to the network's settings" }]);
  expect(await ask("/latest/develop/qr-scan?camera_name=none")).toBe(404);
  expect(await ask("/latest/develop/qr-scan")).toBe(422);
  expect(await ask("/v0.8/develop/qr-scan?camera_name=simulated_camera")).toBe(405);
});
