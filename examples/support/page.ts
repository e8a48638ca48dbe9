import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { CHROMIUM, FLAGS } from "./chromium.js";
import { startProgram } from "./program.js";

const WAIT_MS = 90_000;

/** Serves a web example as its user would, and ends that. */
export async function withExampleServer(
  example: string,
  scanner: string,
  run: (url: string) => Promise<void>,
): Promise<void> {
  const server = startProgram(process.execPath, "serve.mjs", example, "--port", "0", "--scanner", scanner);
  const url = () => server.lines.find((line) => line.startsWith("http:"));
  try {
    await server.until(() => url() !== undefined);
    await run(url() ?? "");
  } finally {
    await server.stop();
  }
}

/** Serves a web example, and opens an empty page in a Chromium of its own. */
export async function withExample(
  example: string,
  scanner: string,
  run: (page: Page, url: string) => Promise<void>,
): Promise<void> {
  await withExampleServer(example, scanner, async (url) => {
    const profile = await mkdtemp(join(tmpdir(), "openscan-examples-"));
    const browser = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM,
      args: FLAGS,
    });
    try {
      const page = await browser.newPage();
      page.setDefaultTimeout(WAIT_MS);
      await run(page, url);
    } finally {
      await browser.close();
      await rm(profile, { recursive: true, force: true });
    }
  });
}
