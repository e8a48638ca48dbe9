import { readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import type { Scan } from "@openscan/protocol";
import { expect, test } from "vitest";
import { recordingLogger } from "@openscan/runtime/testing";
import { readTexts, readZip } from "../src/zip/testing.js";
import { became, taskOf } from "./support/api.js";
import { listeningServer, startServer, type TestServer } from "./support/in-process.js";
import { storeProject } from "./support/stored-project.js";
import { rawRequest, sendRaw } from "./support/raw-http.js";

const mounts = ["/v0.8", "/v0.9", "/latest", "/next", "/api/v0.9"];

/** A server that finds a project with a scan of three photos. */
async function scanned() {
  const server = await listeningServer();
  const { projectDir } = server.folder.directories;
  await storeProject(projectDir, "vase", [
    { photos: ["scan01_000.jpg", "scan01_001.jpg", "scan01_002.jpg"] },
  ]);
  await server.initialize();
  return { ...server, vase: join(projectDir, "vase") };
}

const zipOf = async ({ api }: TestServer, path: string) => readZip(Buffer.from(await api.bytes(path)));

test("project, scans and photos download as archives on every mount", async () => {
  const server = await scanned();
  const head = async (path: string) => {
    const reply = await fetch(`${server.api.url}${path}`, { method: "HEAD" });
    expect(reply.status, path).toBe(200);
    expect(reply.headers.get("Content-Type"), path).toBe("application/zip");
    const modified = reply.headers.get("Last-Modified") ?? "";
    expect(new Date(modified).toUTCString(), path).toBe(modified);
    return reply.headers.get("Content-Disposition");
  };
  for (const mount of mounts) {
    const project = `${mount}/projects/vase`;
    expect(await head(`${project}/zip`)).toBe("attachment; filename=vase.zip");
    expect(await head(`${project}/zip?photos_only=true`)).toBe("attachment; filename=vase_photos.zip");
    expect(await head(`${project}/zip?prefer_stacked_photos=true`)).toBe(
      "attachment; filename=vase_stacked_preferred.zip",
    );
    expect(await head(`${project}/scans/zip`)).toBe("attachment; filename=vase_all_scans.zip");
    expect(await head(`${project}/scans/zip?scan_indices=1`)).toBe("attachment; filename=vase_scan01.zip");
    expect(await head(`${project}/scans/zip?scan_indices=1&scan_indices=2`)).toBe(
      "attachment; filename=vase_scans_1_2.zip",
    );
    const photos = await zipOf(server, `${project}/zip?photos_only=true`);
    expect(photos.map(({ name }) => name).toSorted()).toEqual([
      "scan01_000.jpg",
      "scan01_001.jpg",
      "scan01_002.jpg",
    ]);
    for (const { name, bytes } of photos)
      expect(bytes.equals(await readFile(join(server.vase, "scan01", name))), name).toBe(true);
  }
  const whole = readTexts(Buffer.from(await server.api.bytes("/latest/projects/vase/zip")));
  const { body } = await server.api.call("GET", "/latest/projects/vase");
  expect(JSON.parse(whole["project_metadata.json"] ?? "")).toEqual(body);
});

test("defect 34: what is not there answers 404, and wrong values 422", async () => {
  const { api } = await scanned();
  await api.call("POST", "/latest/projects/empty");
  const statusOf = async (path: string) => (await api.call("GET", `/latest/projects/${path}`)).status;
  for (const path of [
    "none/zip",
    "none/scans/zip",
    "none/model/zip",
    "vase/model/zip",
    "empty/zip?photos_only=true",
    "empty/zip?photos_only=true&prefer_stacked_photos=true",
    "..%2Fvase/zip",
    "vase%2F..%2Fvase/zip",
    "%2e%2e/zip",
  ])
    expect(await statusOf(path), path).toBe(404);
  expect(await statusOf("vase/zip?photos_only=maybe")).toBe(422);
  expect(await statusOf("vase/scans/zip?scan_indices=first")).toBe(422);
  // Indices that there are not are passed over.
  expect(await statusOf("vase/scans/zip?scan_indices=7")).toBe(200);
  expect(await statusOf("empty/zip")).toBe(200);
  expect((await api.call("POST", "/latest/projects/vase/zip")).status).toBe(405);
});

test("defect 34: a project with a Chinese name downloads under that name", async () => {
  const { api } = await startServer();
  const name = "花瓶 'rot' é";
  await api.call("POST", `/latest/projects/${encodeURIComponent(name)}`);
  const reply = await fetch(`${api.url}/latest/projects/${encodeURIComponent(name)}/zip`);
  expect(reply.status).toBe(200);
  const disposition = reply.headers.get("Content-Disposition") ?? "";
  const extended = /; filename\*=UTF-8''([\w%.~!$&+^`|-]+)$/.exec(disposition)?.[1] ?? "";
  expect(decodeURIComponent(extended)).toBe(`${name}.zip`);
  expect(disposition).toMatch(/^attachment; filename="[ -~]+"; /);
  const files = readZip(Buffer.from(await reply.arrayBuffer())).map((entry) => entry.name);
  expect(files).toContain(`${name}/openscan_project.json`);
});

test("an archive made during a scan is whole and holds every photo that was there when it was asked for", async () => {
  const server = await startServer();
  const { api } = server;
  const vase = join(server.folder.directories.projectDir, "vase");
  const tasks = await api.listen("tasks");
  const { id } = await api.startScan("vase", { points: 8 });
  let downloads = 0;
  for (;;) {
    const { body: scan } = await api.call<Scan>("GET", "/latest/projects/vase/scans/1");
    if (scan.status === "completed") break;
    if (scan.photos.length === 0) {
      await tasks.count(downloads + 2, (message) => message.type === "task.update");
      continue;
    }
    const entries = await zipOf(server, "/latest/projects/vase/zip");
    const found = new Map(entries.map(({ name, bytes }) => [name, bytes]));
    for (const photo of scan.photos) {
      const copy = found.get(`vase/scan01/${photo}`);
      expect(copy?.equals(await readFile(join(vase, "scan01", photo))), photo).toBe(true);
      expect(found.has(`vase/scan01/metadata/${photo.replace("jpg", "json")}`)).toBe(true);
    }
    for (const [name, bytes] of found) {
      expect(name).not.toContain(".tmp_");
      if (name.endsWith(".json")) JSON.parse(bytes.toString());
    }
    downloads++;
  }
  await tasks.find(became(id, "completed"));
  expect(downloads).toBeGreaterThan(1);
  expect(taskOf(await tasks.find(became(id, "completed"))).error).toBeNull();
}, 120_000);

async function openFilesBelow(folder: string): Promise<string[]> {
  const paths = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
  return (await Promise.all(paths)).filter((path) => path.startsWith(folder));
}

test.skipIf(process.platform !== "linux")(
  "a client that goes away leaves no file open and no error",
  async () => {
    const log = recordingLogger();
    const { api, folder } = await startServer(undefined, { log });
    await api.call("POST", "/latest/projects/vase");
    const vase = join(folder.directories.projectDir, "vase");
    for (let index = 0; index < 4; index++)
      await writeFile(join(vase, `large${index}`), Buffer.alloc(16 * 2 ** 20, index));
    for (let round = 0; round < 3; round++) {
      await new Promise<void>((resolve, reject) => {
        const asked = request(`${api.url}/latest/projects/vase/zip`, (reply) => {
          // It reads nothing until the server waits for it with a file open, then leaves.
          const leaveOnceOpen = async () => {
            while ((await openFilesBelow(vase)).length === 0)
              await new Promise((later) => setImmediate(later));
            reply.destroy();
            resolve();
          };
          leaveOnceOpen().catch(reject);
        });
        asked.on("error", reject);
        asked.end();
      });
      while ((await openFilesBelow(vase)).length > 0) await new Promise((later) => setTimeout(later, 5));
    }
    expect(log.lines.filter(({ level }) => level === "error")).toEqual([]);
    // The server still works.
    expect((await api.call("DELETE", "/latest/projects/vase")).status).toBe(200);
  },
);

test("links below a project are not followed out of it", async () => {
  const { api, folder } = await startServer();
  await api.call("POST", "/latest/projects/vase");
  await symlink(folder.directories.settingsDir, join(folder.directories.projectDir, "vase/settings"));
  const files = readZip(Buffer.from(await api.bytes("/latest/projects/vase/zip"))).map(({ name }) => name);
  expect(files).toEqual(["vase/openscan_project.json", "project_metadata.json"]);
});

test("HTTP/1.0 clients get the archive up to the end of the connection", async () => {
  const { api } = await startServer();
  await api.call("POST", "/latest/projects/vase");
  const text = rawRequest("GET", "/latest/projects/vase/zip", [["Host", "127.0.0.1"]]).replace("1.1", "1.0");
  const { status, body } = await sendRaw(api.url, text);
  expect(status).toBe(200);
  expect(readZip(Buffer.from(body, "latin1"))).toHaveLength(2);
});
