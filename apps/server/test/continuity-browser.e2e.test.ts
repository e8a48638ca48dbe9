import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import type { Task } from "@openscan/protocol";
import { systemClock } from "@openscan/runtime";
import { build } from "esbuild";
import { expect, onTestFinished, test } from "vitest";
import { type Tab, withTab } from "../../../examples/support/background-tab.js";
import { chromiumMissing } from "../../../examples/support/chromium.js";
import type { Api } from "./support/api.js";
import { type ServerProcess, spawnServer } from "./support/child.js";
import { Listener } from "./support/continuity/listener.js";
import { createFolder, quickConfiguration } from "./support/folder.js";
import { Proxy } from "./support/proxy.js";

const points = 20;

/** Runs in the page: keeps what the SDK says where the test can read it. */
const pageScript = `
  import { createScannerClient } from "@openscan/client-sdk";
  const client = createScannerClient({ url: location.origin, onError: () => {} });
  const seen = { photos: [], lost: 0, client };
  client.tasks.on("photo.captured", ({ file }) => seen.photos.push(file));
  for (const store of [client.tasks, client.device])
    store.on("resync", ({ lost }) => { if (lost) seen.lost++; });
  globalThis.seen = seen;
`;
const live =
  "[seen.client.tasks, seen.client.device].every((store) => store.get().freshness.status === 'live')";

async function bundled(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: pageScript, resolveDir: fileURLToPath(new URL("..", import.meta.url)) },
    bundle: true,
    format: "iife",
    platform: "browser",
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

test.skipIf(chromiumMissing)(
  `the SDK in Chromium, hidden, frozen, offline, its server killed, while a scan runs: right again each time${chromiumMissing}`,
  async () => {
    const folder = await createFolder(await quickConfiguration());
    onTestFinished(() => folder.remove());
    let server = await spawnServer(folder);
    const proxy = await Proxy.open({
      clock: systemClock,
      random: () => 0.5,
      port: () => portOf(server),
      delayMs: 0,
    });
    onTestFinished(() => proxy.close());
    const neighbours = [listen(server)];
    const photos = () => [
      ...new Set(neighbours.flatMap((one) => one.told("tasks", "photo.captured")).map(({ file }) => file)),
    ];
    const morePhotos = async () => {
      const before = photos().length;
      await neighbours.at(-1)?.until(() => photos().length > before + 1);
    };

    await withTab(`${proxy.url}/health`, async (tab) => {
      await tab.until("document.readyState === 'complete'");
      await tab.evaluate(await bundled());
      await tab.until(live);
      const { id } = await server.api.startScan("vase", { points });
      const rightAgain = async (what: string) => {
        const since = systemClock.monotonic();
        await tab.until(`${live} && seen.photos.length >= ${photos().length}`);
        report(`${what}: live and right after ${Math.round(systemClock.monotonic() - since)} ms`);
      };
      await morePhotos();

      await tab.hide();
      await morePhotos();
      await tab.show();
      await rightAgain("visible again");

      await tab.hide();
      await tab.freeze();
      await morePhotos();
      await tab.thaw();
      await tab.show();
      await rightAgain("thawed");

      await tab.goOffline(true);
      proxy.state = "refuses";
      for (const connection of proxy.open) connection.cut();
      await morePhotos();
      expect(await tab.evaluate(live)).toBe(false);
      proxy.state = "open";
      await tab.goOffline(false);
      await rightAgain("online again");
      expect(await tab.evaluate("seen.lost")).toBe(0);

      await server.stop("SIGKILL");
      await tab.until(`!(${live})`);
      server = await spawnServer(folder);
      neighbours.push(listen(server));
      await rightAgain("server killed and started");
      await server.api.call("POST", `/latest/tasks/${id}/resume`);
      await tab.until(
        `seen.client.tasks.get().state.some((task) => task.id === "${id}" && task.status === "completed")`,
      );

      await untilEqual(tab, server.api);
      expect(await tab.evaluate("seen.photos")).toEqual(photos());
      expect(await tab.evaluate("seen.lost")).toBeLessThanOrEqual(2);
    });
  },
  300_000,
);

function listen({ api }: ServerProcess): Listener {
  const listener = new Listener(api.url, Math.random);
  onTestFinished(() => listener.client.close());
  return listener;
}

function portOf({ api }: ServerProcess): number {
  return Number(new URL(api.url).port);
}

/** Asked again as long as the scanner comes to rest. */
async function untilEqual(tab: Tab, api: Api): Promise<void> {
  for (;;) {
    const { body: tasks } = await api.call<Task[]>("GET", "/next/tasks/");
    const { body: device } = await api.call("GET", "/next/device/info");
    const shown = await tab.evaluate(
      "[seen.client.tasks, seen.client.device].map((store) => store.get().state)",
    );
    if (isDeepStrictEqual(shown, [tasks, device])) return;
  }
}

/** For whoever reads the output: how long a user waits. */
function report(line: string): void {
  process.stdout.write(`Chromium, ${line}\n`);
}
