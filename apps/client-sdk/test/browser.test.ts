import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type BrowserContext, chromium } from "playwright-core";
import { expect, test } from "vitest";
import { completed, device, running } from "./support/fixtures.js";
import { ScannerServer } from "./support/scanner-server.js";

const CHROMIUM = "/usr/bin/chromium";
const missing = !existsSync(CHROMIUM);
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Runs in the page: keeps what the streams say where the test can read it. */
const PAGE_SCRIPT = `
  import { createScannerClient } from "@openscan/client-sdk";
  const client = createScannerClient({ url: location.origin, random: () => 0.01, onError: () => {} });
  const seen = { tasks: [], device: [], client };
  client.tasks.subscribe((event) => seen.tasks.push(event.type));
  client.device.subscribe((event) => seen.device.push(event.type));
  globalThis.seen = seen;
`;

async function pageScript(): Promise<string> {
  const result = await build({
    stdin: { contents: PAGE_SCRIPT, resolveDir: fileURLToPath(new URL("..", import.meta.url)) },
    bundle: true,
    format: "iife",
    platform: "browser",
    conditions: ["@openscan/source"],
    write: false,
  });
  return result.outputFiles[0]?.text ?? "";
}

async function withBrowser(run: (browser: BrowserContext) => Promise<void>): Promise<void> {
  const profile = await mkdtemp(join(tmpdir(), "openscan-sdk-"));
  const browser = await chromium.launchPersistentContext(profile, { executablePath: CHROMIUM, args: FLAGS });
  try {
    await run(browser);
  } finally {
    await browser.close();
    await rm(profile, { recursive: true, force: true });
  }
}

const title = missing ? ` (skipped: there is no ${CHROMIUM})` : "";

test.skipIf(missing)(
  `in Chromium: live events, a server that restarts, and the right state after it${title}`,
  async () => {
    const server = await ScannerServer.start();
    server.tasks = [running("a", 1)];
    const script = await pageScript();
    await withBrowser(async (browser) => {
      const page = await browser.newPage();
      await page.goto(`${server.url}/page`);
      await page.addScriptTag({ content: script });
      const until = (expression: string) => page.waitForFunction(expression);

      await until("seen.client.tasks.state === 'live' && seen.client.device.state === 'live'");
      server.updateTask(running("a", 2));
      server.updateDevice(device("two"), ["lights.ring.is_on"]);
      await until("seen.tasks.length === 2 && seen.device.length === 2");
      expect(await page.evaluate("seen.client.tasks.snapshot.tasks")).toEqual([running("a", 2)]);
      expect(await page.evaluate("seen.client.device.snapshot.device.name")).toBe("two");

      await server.kill();
      await until("seen.client.tasks.state !== 'live' && seen.client.device.state !== 'live'");
      server.tasks = [completed("a"), running("b", 1)];
      server.device = device("three");
      await server.start();
      await until("seen.client.tasks.state === 'live' && seen.client.device.state === 'live'");
      expect(await page.evaluate("seen.client.tasks.snapshot.tasks")).toEqual([
        completed("a"),
        running("b", 1),
      ]);
      expect(await page.evaluate("seen.client.device.snapshot.device.name")).toBe("three");
      expect(await page.evaluate("[seen.tasks, seen.device]")).toEqual([
        ["resync", "task.update", "resync"],
        ["resync", "device.status", "resync"],
      ]);

      server.publish("tasks", { type: "ping" });
      await server.seen.until((lines) => lines.includes('message tasks {"type":"pong"}'));
      await page.evaluate("seen.client.close()");
      await server.seen.until((lines) => lines.includes("close tasks 1000"));
    });
    await server.kill();
  },
  60_000,
);
