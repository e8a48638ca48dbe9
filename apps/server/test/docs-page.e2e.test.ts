import type { AsyncApiDocument } from "@openscan/protocol/asyncapi";
import type { OpenApiDocument } from "@openscan/protocol/openapi";
import { expect, test } from "vitest";
import { chromiumMissing, openBrowser } from "../../../examples/support/chromium.js";
import { startServer } from "./support/in-process.js";

const PHONE = { width: 360, height: 740 };

test.skipIf(chromiumMissing)(
  `the page /docs shows every message, complete, on any screen and from this server alone${chromiumMissing}`,
  async () => {
    const { api } = await startServer();
    const { body: document } = await api.call<AsyncApiDocument>("GET", "/asyncapi.json");
    const page = await (await openBrowser()).newPage();
    const complaints: string[] = [];
    const strangers: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", ({ message }) => complaints.push(message));
    page.on("request", (request) => {
      if (!request.url().startsWith("data:") && !request.url().startsWith(api.url))
        strangers.push(request.url());
    });
    await page.goto(`${api.url}/docs`);
    await page.waitForSelector("#schemas");

    for (const [channel, { messages }] of Object.entries(document.channels))
      for (const key of Object.keys(messages)) {
        const { name, summary, examples } = document.components.messages[key] ?? { examples: [] };
        const shown = await page.locator(`[id="${channel}-${key}"]`).innerText();
        expect(shown, key).toContain(name);
        expect(shown.replaceAll("`", ""), key).toContain(summary?.replaceAll("`", ""));
        for (const { payload } of examples) {
          expect(shown, key).toContain(JSON.stringify(payload, undefined, 2));
          for (const member of Object.keys(payload as object)) expect(shown, key).toContain(member);
        }
      }
    for (const name of Object.keys(document.components.schemas))
      expect(await page.locator(`[id="schema-${name}"]`).count(), name).toBe(1);

    const links = await page
      .locator("a")
      .evaluateAll((all) => all.map((link) => link.getAttribute("href") ?? ""));
    const anchors = links.filter((href) => href.startsWith("#"));
    expect(anchors.length).toBeGreaterThan(30);
    for (const anchor of new Set(anchors))
      expect(await page.locator(`[id="${anchor.slice(1)}"]`).count(), anchor).toBe(1);
    for (const link of new Set(links.filter((href) => !href.startsWith("#"))))
      expect((await fetch(new URL(link, `${api.url}/docs`))).status, link).toBe(200);

    await page.setViewportSize(PHONE);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(PHONE.width);
    await page.goto("about:blank");
    await page.goto(`${api.url}/docs#device-v1.device.fault`);
    await page.waitForFunction(
      "document.getElementById('device-v1.device.fault')?.getBoundingClientRect().top < innerHeight / 2",
    );
    expect(await page.locator("#menu").getAttribute("open")).toBeNull();
    expect(complaints).toEqual([]);
    expect(strangers).toEqual([]);
  },
  120_000,
);

test.skipIf(chromiumMissing)(
  `the page /v0.9/docs shows every operation of the version, from this server alone${chromiumMissing}`,
  async () => {
    const { api } = await startServer();
    const { body: document } = await api.call<OpenApiDocument>("GET", "/v0.9/openapi.json");
    const page = await (await openBrowser()).newPage();
    const strangers: string[] = [];
    page.on("request", (request) => {
      if (!request.url().startsWith("data:") && !request.url().startsWith(api.url))
        strangers.push(request.url());
    });
    await page.goto(`${api.url}/api/v0.9/docs`);
    await page.waitForSelector(".opblock");
    const shown = await page.locator(".opblock").count();
    expect(shown).toBe(Object.values(document.paths).flatMap((path) => Object.keys(path)).length);
    expect(await page.locator("body").innerText()).toContain("/api/v0.9");
    expect(strangers).toEqual([]);
  },
  120_000,
);
