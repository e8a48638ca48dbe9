import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type BrowserContext, chromium } from "playwright-core";
import { expect, test } from "vitest";
import { CHROMIUM, chromiumMissing, FLAGS } from "../../../examples/support/chromium.js";
import { completed, device, running } from "./support/fixtures.js";
import { HubServer } from "./support/hub-server.js";
import { revised } from "./support/messages.js";

/** Runs in the page: keeps what the stores say where the test can read it. */
const PAGE_SCRIPT = `
  import { createScannerClient } from "@openscan/client-sdk";
  const client = createScannerClient({ url: location.origin, random: () => 0.01, onError: () => {} });
  const { tasks, device } = client;
  const seen = { tasks: [], device: [], freshness: [], client };
  const read = async (store, into) => { for await (const { type, lost } of store) into.push(lost ? "lost" : type); };
  read(tasks, seen.tasks);
  read(device, seen.device);
  device.subscribe(() => seen.freshness.push(device.get().freshness.status));
  globalThis.createScannerClient = createScannerClient;
  globalThis.seen = seen;
  globalThis.are = (status) => [tasks, device].every((store) => store.get().freshness.status === status);
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

test.skipIf(chromiumMissing)(
  `in Chromium: live, cut and resumed, killed and right again${chromiumMissing}`,
  async () => {
    const server = await HubServer.start();
    server.tasks = [revised(running("a", 1), 1)];
    const script = await pageScript();
    await withBrowser(async (browser) => {
      const page = await browser.newPage();
      await page.goto(`${server.url}/page`);
      await page.addScriptTag({ content: script });
      const until = (expression: string) => page.waitForFunction(expression);
      const tasks = () => page.evaluate("seen.client.tasks.get().state");

      await until("are('live')");
      server.updateTask(revised(running("a", 2), 2));
      server.updateDevice(device("two"), ["lights.ring.is_on"]);
      await until("seen.tasks.length === 2 && seen.device.length === 2");
      expect(await tasks()).toEqual(server.tasks);

      server.cut();
      server.updateTask(revised(running("a", 3), 3));
      server.updateDevice(device("three"), ["lights.ring.is_on"]);
      await until("seen.tasks.length === 3 && seen.device.length === 3 && are('live')");

      await server.kill();
      await until("are('offline')");
      expect(await page.evaluate("seen.client.device.get().state.name")).toBe("three");
      server.tasks = [revised(completed("a"), 0), revised(running("b", 1), 0)];
      server.device = device("four");
      await server.start();
      await until("are('live')");
      expect(await tasks()).toEqual(server.tasks);
      expect(await page.evaluate("[seen.tasks, seen.device]")).toEqual([
        ["resync", "task.update", "task.update", "lost"],
        ["resync", "device.status", "device.status", "lost"],
      ]);
      expect([...new Set(await page.evaluate<string[]>("seen.freshness"))]).toEqual([
        "resyncing",
        "live",
        "stale",
        "offline",
      ]);

      await page.evaluate("seen.client.close()");
      await until("are('offline')");
    });
    await server.kill();
  },
  60_000,
);

test.skipIf(chromiumMissing)(
  `in Chromium a token passes as a subprotocol, and its refusal can be told from a lost network${chromiumMissing}`,
  async () => {
    const server = await HubServer.start();
    server.admit = ({ url, headers }) => {
      if (url?.includes("sesame")) throw new Error("a token in a URL");
      if (headers["sec-websocket-protocol"]?.includes("openscan.bearer.c2VzYW1l")) return undefined;
      return { status: 401, detail: "a token is needed", closeCode: 4401 };
    };
    const script = await pageScript();
    await withBrowser(async (browser) => {
      const page = await browser.newPage();
      await page.goto(`${server.url}/page`);
      const connect = (token: string) =>
        `createScannerClient({ url: location.origin, token: () => "${token}", onError: () => {} }).device.events().next()`;
      await page.addScriptTag({ content: script });
      expect(await page.evaluate(`${connect("sesame")}.then(({ value }) => value.type)`)).toBe("resync");
      expect(await page.evaluate(`${connect("wrong")}.catch(({ closeCode }) => closeCode)`)).toBe(4401);
    });
    await server.kill();
  },
  60_000,
);
