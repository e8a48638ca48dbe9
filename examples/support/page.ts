import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { startProgram } from "./program.js";

const CHROMIUM = "/usr/bin/chromium";
const WAIT_MS = 90_000;
const FLAGS =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";

/** For titles of tests: why they are skipped; empty when they run. */
export const chromiumMissing = existsSync(CHROMIUM) ? "" : ` (skipped: there is no ${CHROMIUM})`;

/** Serves a web example as its user would, opens it in Chromium, and ends both. */
export async function withExample(
  example: string,
  scanner: string,
  run: (page: Page) => Promise<void>,
): Promise<void> {
  const server = startProgram(process.execPath, "serve.mjs", example, "--port", "0", "--scanner", scanner);
  const profile = await mkdtemp(join(tmpdir(), "openscan-examples-"));
  try {
    await server.until((lines) => lines.some((line) => line.startsWith("http:")));
    const browser = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM,
      args: FLAGS.split(" "),
    });
    try {
      const page = await browser.newPage();
      page.setDefaultTimeout(WAIT_MS);
      await page.goto(server.lines.find((line) => line.startsWith("http:")) ?? "");
      await run(page);
    } finally {
      await browser.close();
    }
  } finally {
    await server.stop();
    await rm(profile, { recursive: true, force: true });
  }
}
