import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";
import { onTestFinished } from "vitest";

export const CHROMIUM = "/usr/bin/chromium";
export const FLAGS = [
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

/** For titles of tests: why they are skipped; empty when they run. */
export const chromiumMissing = existsSync(CHROMIUM) ? "" : ` (skipped: there is no ${CHROMIUM})`;

/** A Chromium of this test's own, gone with it. */
export async function openBrowser(...furtherFlags: readonly string[]): Promise<BrowserContext> {
  const profile = await mkdtemp(join(tmpdir(), "openscan-browser-"));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    args: [...FLAGS, ...furtherFlags],
  });
  browser.setDefaultTimeout(waitMs);
  onTestFinished(async () => {
    await browser.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  return browser;
}
