import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { createScannerClient, type ScannerClient } from "@openscan/client-sdk";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { layCable } from "./support/cable.js";
import { chromiumMissing } from "./support/chromium.js";
import { withExample } from "./support/page.js";
import { type Program, startProgram } from "./support/program.js";
import { capturedPhotos, isCompleted, printedSteps, publishedSteps, startSmallScan } from "./support/scan.js";
import { type RunningServer, startServer } from "./support/start-server.js";

const PYTHON = "/usr/bin/python3";
const SCAN_MS = 90_000;
const pythonMissing = hasPython() ? "" : ` (skipped: ${PYTHON} has no package websockets)`;

function hasPython(): boolean {
  try {
    execFileSync(PYTHON, ["-c", "import websockets"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

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

/** Each photo of a scan of five is a step, whatever else is reported between them. */
const MILESTONES = [
  "pending 0/0",
  "running 1/5",
  "running 2/5",
  "running 3/5",
  "running 4/5",
  "running 5/5",
  "completed 5/5",
];

function expectEveryStep(printed: readonly string[], published: readonly string[]): void {
  expect(printed).toEqual(published);
  expect([...new Set(printed)].filter((step) => MILESTONES.includes(step))).toEqual(MILESTONES);
}

async function withProgram(program: Program, run: (program: Program) => Promise<void>): Promise<void> {
  try {
    await run(program);
  } finally {
    await program.stop();
  }
}

const prints = (text: string, times = 1) => {
  return (lines: readonly string[]) => lines.filter((line) => line.includes(text)).length >= times;
};

describe.skipIf(pythonMissing)(`Python${pythonMissing}`, () => {
  test(
    "listen_tasks.py prints every step of a scan in order, also after the server was killed",
    async () => {
      const program = startProgram(PYTHON, "python/listen_tasks.py", "--url", server.url);
      await withProgram(program, async ({ lines, until }) => {
        await until(prints("connected"));
        await server.kill();
        await server.startAgain();
        await until(prints("connected", 2));
        const published = await publishedSteps(server.url);
        const id = await startSmallScan(client, "python-tasks");
        await until(isCompleted(id));
        expectEveryStep(printedSteps(id, lines), await published(id));
      });
    },
    SCAN_MS,
  );

  test(
    "listen_device.py prints the changes of a scan",
    async () => {
      const program = startProgram(PYTHON, "python/listen_device.py", "--url", server.url);
      await withProgram(program, async ({ lines, until }) => {
        await until(prints("connected"));
        await startSmallScan(client, "python-device");
        await until(prints("cameras.simulated_camera.busy", 10));
        const changes = lines.filter((line) => line.startsWith("changed "));
        expect(changes.some((line) => /turntable [\d.]+° moving/.test(line))).toBe(true);
        expect(
          changes.filter((line) => line.endsWith("simulated_camera busy")).length,
        ).toBeGreaterThanOrEqual(5);
      });
    },
    SCAN_MS,
  );

  test(
    "watch_v1.py misses nothing while its cable is pulled, and says so when the server lost its history",
    async () => {
      const cable = await layCable(server.url);
      const program = startProgram(PYTHON, "python/watch_v1.py", "--url", cable.url);
      await withProgram(program, async ({ lines, until }) => {
        await until(prints("connected: from the start", 2));
        const id = await startSmallScan(client, "python-v1");
        const photos = () => lines.filter((line) => line.endsWith(`of task ${id}`));
        await until(() => photos().length > 0);
        cable.pull();
        const photosOfServer = await capturedPhotos(server.url, id);
        expect(photos().length).toBeLessThan(photosOfServer.length);
        cable.plug();
        await until(isCompleted(id));
        await until(prints("connected: resumed, nothing is lost", 2));
        expect(photos().map((line) => line.split(" ")[3])).toEqual(photosOfServer);

        await server.kill();
        await server.startAgain();
        await until(prints("connected: events may be lost", 2));
        expect(lines.filter((line) => line.includes("came last") || line.includes("does not fit"))).toEqual(
          [],
        );
      });
      await cable.remove();
    },
    SCAN_MS,
  );

  test.each(["listen_tasks.py", "listen_device.py", "watch_v1.py"])("%s --help explains itself", (script) => {
    const help = execFileSync(PYTHON, [join(import.meta.dirname, "python", script), "--help"], {
      encoding: "utf8",
    });
    expect(help).toContain("--url");
    expect(help).toContain("Prints every");
  });
});

describe("Node", () => {
  test(
    "watch.mjs prints every step of a scan in order and the changes of the device",
    async () => {
      const program = startProgram(process.execPath, "node-sdk/watch.mjs", "--url", server.url);
      await withProgram(program, async ({ lines, until }) => {
        await until(prints("tasks live"));
        await until(prints("device live"));
        const published = await publishedSteps(server.url);
        const id = await startSmallScan(client, "node-sdk");
        await until(isCompleted(id));
        expectEveryStep(printedSteps(id, lines), await published(id));
        expect(lines.some((line) => line.startsWith("changed ") && line.includes("motors.turntable"))).toBe(
          true,
        );
      });
    },
    SCAN_MS,
  );

  test("watch.mjs --help explains itself", () => {
    const script = join(import.meta.dirname, "node-sdk/watch.mjs");
    expect(execFileSync(process.execPath, [script, "--help"], { encoding: "utf8" })).toContain("--url");
  });
});

describe.skipIf(chromiumMissing)(`browser${chromiumMissing}`, () => {
  test(
    "index.html, without any library, shows every step of a scan and survives a restart",
    async () => {
      await withExample("browser", server.url, async (page, url) => {
        await page.goto(url);
        await bothStates(page, "live");
        const published = await publishedSteps(server.url);
        const id = await startSmallScan(client, "browser");
        await page.waitForFunction(
          `document.getElementById("log").innerText.includes("${id} scan_task completed")`,
        );
        const log = (await page.innerText("#log")).split("\n");
        expectEveryStep(printedSteps(id, log), await published(id));
        expect(log.some((line) => line.includes("motors.turntable"))).toBe(true);
        expect(await page.innerText("#device")).toBe("Simulated OpenScan Mini");
        expect(await page.innerText("#tasks")).toContain("completed");

        await server.kill();
        await bothStates(page, "offline");
        await server.startAgain();
        await bothStates(page, "live");
      });
    },
    SCAN_MS,
  );
});

async function bothStates(page: Page, state: string): Promise<void> {
  for (const namespace of ["device", "tasks"]) {
    await page.waitForFunction(`document.getElementById("${namespace}-state").textContent === "${state}"`);
  }
}
