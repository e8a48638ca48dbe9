import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { createScannerClient, type ScannerClient } from "@openscan/client-sdk";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { withTab } from "./support/background-tab.js";
import { type Cable, layCable } from "./support/cable.js";
import { chromiumMissing } from "./support/chromium.js";
import { withExample, withExampleServer } from "./support/page.js";
import { startSmallScan } from "./support/scan.js";
import { type RunningServer, startServer } from "./support/start-server.js";

const TEST_MS = 120_000;
const SCREENSHOTS = process.env["OPENSCAN_SCREENSHOTS"];

let server: RunningServer;
let client: ScannerClient;

beforeAll(async () => {
  server = await startServer();
  client = createScannerClient({ url: server.url, WebSocket });
}, 30_000);
afterAll(async () => {
  client?.close();
  await server?.stop();
}, 30_000);

/** What a page complains of, and for each of its sockets when it is closed. */
function observe(page: Page) {
  const complaints: string[] = [];
  const closed: Promise<void>[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("websocket", (socket) => {
    closed.push(new Promise((resolve) => socket.once("close", () => resolve())));
  });
  return { complaints, sockets: closed };
}

/** How Chromium itself tells of an attempt to connect to a server that is away. */
const REFUSED = /^WebSocket connection to .* failed: .*ERR_CONNECTION_REFUSED/;

/** Is true in a page when every, or some, of its badges say this. */
function badges(which: "every" | "some", says: string): string {
  const panels = JSON.stringify(["#device .freshness", "#tasks .freshness"]);
  return `${panels}.${which}((badge) => document.querySelector(badge)?.textContent === "${says}")`;
}

async function freshness(page: Page, says: string): Promise<void> {
  await page.waitForFunction(badges("every", says));
}

function report(example: string, what: string, since: number): void {
  console.log(`${example}: ${what}: ${Math.round(performance.now() - since)} ms`);
}

const motor = `document.querySelector('[data-motor="turntable"]')`;
const showsAngle = (degrees: number) =>
  `${motor}?.querySelector("output").textContent === "${degrees.toFixed(1)}°"`;

async function shows(page: Page, angle: number): Promise<void> {
  await page.waitForFunction(showsAngle(angle));
}

/** Turns the turntable by REST; resolves with where it came to rest, which is a whole step. */
async function turnTo(degrees: number): Promise<number> {
  const params = { motor_name: "turntable" };
  return (await client.request("PUT /motors/{motor_name}/angle", { params, query: { degrees } })).angle;
}

async function screenshot(page: Page, name: string): Promise<void> {
  if (SCREENSHOTS) await page.screenshot({ path: `${SCREENSHOTS}/${name}.png`, fullPage: true });
}

test("serve.mjs --help explains itself, and so does an example that there is not", () => {
  const serve = (...args: string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, "serve.mjs"), ...args], { encoding: "utf8" });
  expect(serve("--help")).toMatchObject({ status: 0, stdout: expect.stringContaining("browser|react|vue") });
  expect(serve("angular")).toMatchObject({ status: 1, stdout: expect.stringContaining("--scanner") });
});

describe.skipIf(chromiumMissing).each(["react", "vue"])(`%s in Chromium${chromiumMissing}`, (example) => {
  test(
    "shows the live device, does what its buttons say, and follows a scan with its photos",
    async () => {
      await withExample(example, server.url, async (page, url) => {
        const { complaints, sockets } = observe(page);
        await page.goto(url);
        await freshness(page, "live");
        expect(await page.innerText("#device h2")).toContain("Simulated OpenScan Mini");
        expect(await page.locator(".camera").count()).toBeGreaterThan(0);
        expect(sockets).toHaveLength(2);

        const before = await turnTo(40);
        await shows(page, before);
        await page.locator('[data-motor="turntable"]').getByText("+15°").click();
        await page.waitForFunction(`!(${showsAngle(before)}) && ${motor}.innerText.includes("at rest")`);
        const moved = await client.request("GET /motors/{motor_name}", {
          params: { motor_name: "turntable" },
        });
        await shows(page, moved.angle);
        expect(moved.angle).toBeCloseTo(before + 15, 0);

        const light = page.locator("[data-light]").first();
        for (const _ of ["switched", "switched back"]) {
          const shown = await light.innerText();
          await light.click();
          await page.waitForFunction(`document.querySelector("[data-light]").innerText !== "${shown}"`);
        }

        const id = await startSmallScan(client, `${example}-scan`);
        const task = `document.querySelector('[data-task="${id}"]')`;
        await page.waitForFunction(`/[2-5]\\/5/.test(${task}?.innerText)`);
        await screenshot(page, `${example}-running`);
        await page.waitForFunction(`${task}.innerText.includes("completed")`);
        expect(await page.innerText(`[data-task="${id}"]`)).toContain("5/5");
        await page.waitForFunction(
          "document.querySelectorAll('#photos img').length === 5 && [...document.images].every((image) => image.naturalWidth > 0)",
        );
        await screenshot(page, `${example}-completed`);
        expect(complaints).toEqual([]);
      });
    },
    TEST_MS,
  );

  test(
    "unmounting closes the sockets after the linger, mounting shows the state as it is then",
    async () => {
      await withExample(example, server.url, async (page, url) => {
        const { complaints, sockets } = observe(page);
        await page.goto(url);
        await shows(page, await turnTo(60));
        await page.getByText("Unmount").click();
        expect(await page.locator("main").count()).toBe(0);
        await page.getByText("Mount", { exact: true }).click();
        await freshness(page, "live");
        expect(sockets).toHaveLength(2);

        await page.getByText("Unmount").click();
        await Promise.all(sockets);
        const angle = await turnTo(75);
        await page.getByText("Mount", { exact: true }).click();
        await shows(page, angle);
        await freshness(page, "live");
        expect(sockets).toHaveLength(4);
        expect(complaints).toEqual([]);
      });
    },
    TEST_MS,
  );

  test(
    "says so when the server is killed, and shows the right state when it is back",
    async () => {
      await withExample(example, server.url, async (page, url) => {
        const { complaints } = observe(page);
        await page.goto(url);
        const angle = await turnTo(80);
        await shows(page, angle);
        await freshness(page, "live");
        expect(complaints).toEqual([]);

        const killed = performance.now();
        await server.kill();
        await page.waitForFunction(`!${badges("some", "live")}`);
        report(example, "server killed until the page says so", killed);
        expect(performance.now() - killed).toBeLessThan(5000);
        await freshness(page, "offline");
        expect(await page.evaluate(showsAngle(angle))).toBe(true);
        expect(
          await page.evaluate("getComputedStyle(document.querySelector('#device .content')).opacity"),
        ).not.toBe("1");
        await screenshot(page, `${example}-offline`);

        await server.startAgain();
        const back = performance.now();
        await freshness(page, "live");
        report(example, "server back until the page is live", back);
        await shows(page, await turnTo(85));
        await screenshot(page, `${example}-back`);
        expect(complaints.filter((text) => !REFUSED.test(text))).toEqual([]);
      });
    },
    TEST_MS,
  );
});

describe.skipIf(chromiumMissing)(`a page that sleeps${chromiumMissing}`, () => {
  let cable: Cable;
  beforeAll(async () => {
    cable = await layCable(server.url);
  });
  afterAll(() => cable.remove());

  test(
    "shows the right state when it is visible, thawed and online again",
    async () => {
      await withExampleServer("react", cable.url, async (url) => {
        await withTab(url, async (tab) => {
          const isLive = badges("every", "live");
          const rightAgain = async (what: string, angle: number) => {
            const since = performance.now();
            await tab.until(`${isLive} && ${showsAngle(angle)}`);
            report("react", `${what} until the page is live and right`, since);
          };
          await tab.until(isLive);

          await tab.hide();
          const turnedUnseen = await turnTo(20);
          await tab.show();
          await rightAgain("visible again", turnedUnseen);

          await tab.hide();
          await tab.freeze();
          await server.kill();
          await server.startAgain();
          const turnedFrozen = await turnTo(30);
          await tab.thaw();
          await tab.show();
          await rightAgain("thawed after a restart", turnedFrozen);

          await tab.goOffline(true);
          cable.pull();
          await tab.until(badges("every", "offline"));
          const turnedOffline = await turnTo(40);
          cable.plug();
          await tab.goOffline(false);
          await rightAgain("online again", turnedOffline);
        });
      });
    },
    TEST_MS,
  );
});
