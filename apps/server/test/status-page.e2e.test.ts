import { expect, test } from "vitest";
import { chromiumMissing, openBrowser } from "../../../examples/support/chromium.js";
import { startServer } from "./support/in-process.js";

test.skipIf(chromiumMissing)(
  `the status page greys out what it shows, and takes no clicks, when the server is gone${chromiumMissing}`,
  async () => {
    const { api, close } = await startServer();
    const page = await (await openBrowser()).newPage();
    await page.goto(`${api.url}/`);
    await page.locator("#link.live").waitFor();
    expect(await page.locator("main[inert]").count()).toBe(0);
    await close();
    await page.locator("main[inert]").waitFor();
    expect(await page.locator("#link").textContent()).toBe("connecting");
  },
  120_000,
);
