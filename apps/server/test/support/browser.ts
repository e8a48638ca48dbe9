import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";
import { onTestFinished } from "vitest";

const program = "/usr/bin/chromium";
const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const waitMs = 100_000;

/** Tests in a browser are skipped without one. */
export const missing = !existsSync(program);
/** For their titles: why. */
export const title = missing ? ` (skipped: there is no ${program})` : "";

/** A Chromium of this test's own, gone with it. */
export async function openBrowser(...furtherFlags: readonly string[]): Promise<BrowserContext> {
  const profile = await mkdtemp(join(tmpdir(), "openscan-browser-"));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: program,
    args: [...flags, ...furtherFlags],
  });
  browser.setDefaultTimeout(waitMs);
  onTestFinished(async () => {
    await browser.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  return browser;
}
