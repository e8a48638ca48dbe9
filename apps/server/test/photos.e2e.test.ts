import { existsSync } from "node:fs";
import { readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { DeleteResponse, PhotoMetadata, Project, Scan } from "@openscan/protocol";
import { expect, test } from "vitest";
import { folderSize } from "../src/tasks/testing.js";
import { became, taskOf } from "./support/api.js";
import { listeningServer, startServer } from "./support/in-process.js";
import { storeProject } from "./support/stored-project.js";

interface PhotoJson {
  readonly project_name: string;
  readonly scan_index: number;
  readonly filename: string;
  readonly content_type: string;
  readonly size_bytes: number;
  readonly metadata: PhotoMetadata | null;
  readonly photo_data: string;
}

/** A server that finds a project with a scan of three photos. */
async function scanned() {
  const server = await listeningServer();
  const { projectDir } = server.folder.directories;
  await storeProject(projectDir, "vase", [
    { photos: ["scan01_000.jpg", "scan01_001.jpg", "scan01_002.jpg", "stacked/stacked_scan01_002.jpg"] },
  ]);
  await server.initialize();
  return { ...server, scan01: join(projectDir, "vase/scan01"), address: "/latest/projects/vase/1" };
}

const photoUrl = (filename: string, query = "") => `photo?filename=${encodeURIComponent(filename)}${query}`;

test("defect 33: a photo as JSON carries its bytes in base64 and its metadata", async () => {
  const { api, scan01, address } = await scanned();
  const { status, body } = await api.call<PhotoJson>("GET", `${address}/${photoUrl("scan01_001.jpg")}`);
  expect(status).toBe(200);
  expect(body).toMatchObject({
    project_name: "vase",
    scan_index: 1,
    filename: "scan01_001.jpg",
    content_type: "image/jpeg",
    metadata: { format: "jpeg", scan_metadata: { step: 1 } },
  });
  const bytes = Buffer.from(body.photo_data, "base64");
  expect(bytes.equals(await readFile(join(scan01, "scan01_001.jpg")))).toBe(true);
  expect(body.size_bytes).toBe(bytes.length);
});

test("files of a scan have the types of their names, and come as downloads", async () => {
  const { api, scan01, address } = await scanned();
  const types = {
    "x.DNG": "image/x-adobe-dng",
    "x.jpeg": "image/jpeg",
    "x.npy": "application/x-npy",
    "x.raw": "application/octet-stream",
    "100 % é 花.png": "image/png",
    "stacked\\..jpg": "image/jpeg",
  };
  for (const [name, type] of Object.entries(types)) {
    const shown = name.replace("stacked\\", "");
    await writeFile(join(scan01, shown), shown);
    const reply = await fetch(`${api.url}${address}/${photoUrl(shown, "&file_only=true")}`);
    expect(reply.headers.get("Content-Type"), name).toBe(type);
    expect(reply.headers.get("Content-Disposition"), name).toMatch(/^attachment; filename/);
    expect(await reply.text()).toBe(shown);
    const { body } = await api.call<PhotoJson>("GET", `${address}/${photoUrl(shown)}`);
    expect(body).toMatchObject({ content_type: type, metadata: null, size_bytes: Buffer.byteLength(shown) });
  }
  const metadata = await api.call(
    "GET",
    `${address}/${photoUrl("metadata\\scan01_000.json", "&file_only=true")}`,
  );
  expect(metadata).toMatchObject({ status: 200, body: { format: "jpeg" } });
});

test("a photo is sent again only when it has changed, and in the ranges that are asked for", async () => {
  const { api, scan01, address } = await scanned();
  const url = `${api.url}${address}/${photoUrl("scan01_000.jpg", "&file_only=true")}`;
  const first = await fetch(url);
  const bytes = Buffer.from(await first.arrayBuffer());
  expect(first.headers.get("Cache-Control")).toBe("no-cache");
  const etag = first.headers.get("ETag") ?? "";
  expect(etag).not.toBe("");
  // Without its own Cache-Control, Node's fetch asks for the photo whatever the server has.
  const again = () => fetch(url, { headers: { "If-None-Match": etag, "Cache-Control": "max-age=0" } });
  expect((await again()).status).toBe(304);
  const part = await fetch(url, { headers: { Range: "bytes=10-19" } });
  expect(part.status).toBe(206);
  expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(10, 20))).toBe(true);
  expect((await fetch(url, { headers: { Range: `bytes=${bytes.length}-` } })).status).toBe(416);
  await writeFile(join(scan01, "scan01_000.jpg"), "another");
  expect((await again()).status).toBe(200);
});

test("defect 38: names that lead out of a scan's folder are refused, and links out of it lead nowhere", async () => {
  const { api, scan01, address } = await scanned();
  await writeFile(join(scan01, "../secret.jpg"), "secret");
  await symlink(join(scan01, "../secret.jpg"), join(scan01, "scan01_009.jpg"));
  const wrong = [
    "",
    ".",
    "..",
    "../secret.jpg",
    "..\\secret.jpg",
    "/etc/passwd",
    "a//b",
    "metadata/..",
    "C:\\x",
    "a\0b",
  ];
  for (const file_only of ["true", "false"]) {
    const get = async (name: string) =>
      (await api.call("GET", `${address}/${photoUrl(name, `&file_only=${file_only}`)}`)).status;
    for (const name of wrong) expect(await get(name), JSON.stringify(name)).toBe(400);
    for (const name of ["none.jpg", "metadata", "scan01_009.jpg", "scan01_000.jpg/x", "x".repeat(5000)])
      expect(await get(name), name).toBe(404);
  }
  for (const name of wrong) {
    const path = `${address}/photos?photo_filenames=scan01_000.jpg&photo_filenames=${encodeURIComponent(name)}`;
    expect((await api.call("DELETE", path)).status, JSON.stringify(name)).toBe(400);
  }
  // Nothing is removed when one of several names is wrong.
  expect(existsSync(join(scan01, "scan01_000.jpg"))).toBe(true);
  for (const project of ["..%2Fvase", "vase%2F..%2Fvase", "..%5Cvase", "none"]) {
    const path = `/latest/projects/${project}`;
    expect((await api.call("GET", `${path}/1/${photoUrl("scan01_000.jpg")}`)).status, project).toBe(404);
    expect((await api.call("DELETE", `${path}/1/photos?photo_filenames=x.jpg`)).status, project).toBe(404);
    expect((await api.call("GET", `${path}/thumbnail`)).status, project).toBe(404);
    expect((await api.call("DELETE", path)).status, project).toBe(404);
  }
});

test("a thumbnail is an image; a link in its place is not followed out of the project", async () => {
  const { api, scan01 } = await scanned();
  const reply = await api.call("GET", "/latest/projects/vase/thumbnail");
  expect(reply.headers.get("Content-Type")).toBe("image/jpeg");
  expect(reply.headers.get("Content-Disposition")).toBe("attachment; filename=thumbnail.jpg");
  await api.call("POST", "/latest/projects/other");
  await symlink(join(scan01, "../thumbnail.jpg"), join(scan01, "../../other/thumbnail.jpg"));
  expect((await api.call("GET", "/latest/projects/other/thumbnail")).status).toBe(404);
});

test("deleted photos are gone with their metadata, and nothing else is", async () => {
  const { api, scan01, address } = await scanned();
  const deleteNames = (...names: string[]) =>
    api.call<DeleteResponse>(
      "DELETE",
      `${address}/photos?${names.map((name) => `photo_filenames=${encodeURIComponent(name)}`).join("&")}`,
    );
  const asked = ["scan01_001.jpg", "scan01_077.jpg", "scan.json", "metadata\\scan01_000.json"];
  expect(await deleteNames(...asked)).toMatchObject({ status: 200, body: { success: true, deleted: asked } });
  for (const file of ["scan01_001.jpg", "metadata/scan01_001.json"])
    expect(existsSync(join(scan01, file)), file).toBe(false);
  for (const file of ["scan.json", "scan01_000.jpg", "metadata/scan01_000.json", "scan01_002.jpg"])
    expect(existsSync(join(scan01, file)), file).toBe(true);
  const { body: scan } = await api.call<Scan>("GET", "/latest/projects/vase/scans/1");
  expect(scan).toMatchObject({
    photos: expect.not.arrayContaining(["scan01_001.jpg"]) as string[],
    status: "completed",
  });
  expect(scan.photos).toEqual(["scan01_000.jpg", "scan01_002.jpg", "stacked/stacked_scan01_002.jpg"]);
  expect(scan.stacked_size_bytes).toBe("stacked/stacked_scan01_002.jpg".length);
  expect(scan.total_size_bytes).toBe(await folderSize(scan01));
  const stored = JSON.parse(await readFile(join(scan01, "../openscan_project.json"), "utf8")) as Project;
  expect(stored.scans["scan01"]?.total_size_bytes).toBe(scan.total_size_bytes);
  expect((await deleteNames("stacked\\stacked_scan01_002.jpg")).status).toBe(200);
  const { body: after } = await api.call<Scan>("GET", "/latest/projects/vase/scans/1");
  expect(after).toMatchObject({ photos: ["scan01_000.jpg", "scan01_002.jpg"], stacked_size_bytes: 0 });
  // One name is as good as several.
  expect((await deleteNames("scan01_000.jpg")).body.deleted).toEqual(["scan01_000.jpg"]);
  expect((await api.call("DELETE", `${address}/photos`)).status).toBe(422);
  expect((await api.call("DELETE", "/latest/projects/vase/9/photos?photo_filenames=x.jpg")).status).toBe(404);
});

test("defect 26: what a task works on can be deleted neither whole nor in parts, until the task has ended", async () => {
  const { api } = await startServer();
  const tasks = await api.listen("tasks");
  const { id } = await api.startScan("vase", { points: 20 });
  await tasks.find((message) => became(id, "running")(message) && taskOf(message).progress.current >= 1);
  const routes = ["/vase", "/vase/scans/1", "/vase/1/photos?photo_filenames=scan01_000.jpg"];
  const statuses = () =>
    Promise.all(routes.map(async (route) => (await api.call("DELETE", `/latest/projects${route}`)).status));
  expect(await statuses()).toEqual([409, 409, 409]);
  await api.call("POST", `/latest/tasks/${id}/pause`);
  expect(await statuses()).toEqual([409, 409, 409]);
  const { body: scan } = await api.call<Scan>("GET", "/latest/projects/vase/scans/1");
  expect(scan.photos.length).toBeGreaterThan(0);
  await api.call("DELETE", `/latest/tasks/${id}`);
  await tasks.find((message) => became(id, "cancelled")(message) && taskOf(message).completed_at !== null);
  for (const route of routes.toReversed())
    expect((await api.call("DELETE", `/latest/projects${route}`)).status, route).toBe(200);
  for (const route of routes.toReversed())
    expect((await api.call("DELETE", `/latest/projects${route}`)).status, route).toBe(404);
});

test("defect 39: a decomposed name is the same project, and one request deletes it", async () => {
  const { api, folder } = await startServer();
  const [composed, decomposed] = ["größe", "größe".normalize("NFD")].map(encodeURIComponent);
  expect((await api.call("POST", `/latest/projects/${decomposed}`)).body).toMatchObject({ name: "größe" });
  expect((await api.call("POST", `/latest/projects/${composed}`)).status).toBe(400);
  expect((await api.call("GET", `/latest/projects/${composed}/zip`)).status).toBe(200);
  expect((await api.call("DELETE", `/latest/projects/${decomposed}`)).status).toBe(200);
  expect(existsSync(join(folder.directories.projectDir, "größe"))).toBe(false);
  expect((await api.call("GET", `/latest/projects/${composed}`)).status).toBe(404);
});
