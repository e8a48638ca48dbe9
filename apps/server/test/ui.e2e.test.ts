import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { chromiumMissing, openBrowser } from "../../../examples/support/chromium.js";
import { startServer } from "./support/in-process.js";

const page =
  '<!doctype html><meta charset="utf-8"><h1></h1><script type="module" src="/assets/app.js"></script>';
/** Tells which view it shows, and calls the API as the shipped UI does. */
const script = `
  const { firmware_version } = await (await fetch("/api/v0.9")).json();
  document.querySelector("h1").textContent = location.pathname + " of " + firmware_version;`;

async function builtUi(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "openscan-ui-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "assets"));
  await writeFile(join(folder, "index.html"), page);
  await writeFile(join(folder, "assets", "app.js"), script);
  await writeFile(join(folder, ".secret"), "not yours");
  return folder;
}

test("every unknown path is a view of the UI; the API's paths stay its own", async () => {
  const { api } = await startServer(undefined, { config: { uiDir: await builtUi() } });
  for (const view of [
    "/",
    "/scan",
    "/projects/my%20vase.v2",
    "/settings/rotor",
    "/.secret",
    "/..%2f..%2fetc",
  ]) {
    const { status, headers, body } = await api.call<string>("GET", view);
    expect([view, status, body]).toEqual([view, 200, page]);
    expect(headers.get("Content-Type")).toContain("text/html");
    expect(headers.get("Cache-Control")).toBe("no-cache");
  }
  const { headers, body } = await api.call("GET", "/assets/app.js");
  expect(headers.get("Content-Type")).toContain("javascript");
  expect(body).toBe(script);
  expect((await api.call("GET", "/assets/of-an-older-build.js")).status).toBe(404);

  expect((await api.call<string>("GET", "/status")).body).toContain("<title>OpenScan</title>");
  for (const path of ["/v0.9/nonsense", "/api/nonsense", "/ws/tasks"])
    expect(await api.call("GET", path), path).toMatchObject({ status: 404, body: { detail: "Not Found" } });
  expect((await api.call("POST", "/scan")).status).toBe(404);
  for (const path of ["/v0.9", "/v0.9/", "/api/v0.9", "/versions", "/health", "/docs"])
    expect((await api.call("GET", path)).body, path).not.toBe(page);
});

test("the UI's files need no token, what they show does", async () => {
  const { api } = await startServer(undefined, {
    config: { uiDir: await builtUi(), token: "c".repeat(32) },
  });
  expect((await api.call("GET", "/scan")).body).toBe(page);
  expect((await api.call("GET", "/api/v0.9")).status).toBe(401);
});

test.skipIf(chromiumMissing)(
  `one process on one port is a complete scanner: a view that is opened directly talks to the API${chromiumMissing}`,
  async () => {
    const { api } = await startServer(undefined, { config: { uiDir: await builtUi() } });
    const tab = await (await openBrowser()).newPage();
    await tab.goto(`${api.url}/projects/vase`);
    await tab.waitForFunction("document.querySelector('h1').textContent === '/projects/vase of 1.2.3'");
  },
  120_000,
);
