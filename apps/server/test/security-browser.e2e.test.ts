import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { chromiumMissing, openBrowser } from "../../../examples/support/chromium.js";
import { angleOf, control, view } from "./support/attack.js";
import { startServer } from "./support/in-process.js";

// A browser takes a while to start on a small machine.
vi.setConfig({ testTimeout: 120_000 });

/** In this browser's world `evil.example` and `rebound.example` lead to this machine. */
const rebinding = "--host-resolver-rules=MAP *.example 127.0.0.1";

/** The web server of somebody else. */
async function startForeignSite(): Promise<string> {
  const site = createServer((_req, res) =>
    // Each request comes over a connection of its own, which may lead elsewhere.
    res.writeHead(200, { "Content-Type": "text/html", Connection: "close" }).end("<p>Win a prize"),
  );
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  onTestFinished(() => {
    site.closeAllConnections();
    site.close();
  });
  return `${(site.address() as AddressInfo).port}`;
}

/** A name and port whose connections lead to a port of this machine, at first to `port`, later where one wants. */
async function startRebinding(port: string) {
  let target = port;
  const clients = new Set<Socket>();
  const front = createTcpServer((client) => {
    clients.add(client);
    client.on("close", () => clients.delete(client));
    const server = connect(Number(target), "127.0.0.1");
    client.on("error", () => server.destroy()).pipe(server);
    server.on("error", () => client.destroy()).pipe(client);
  });
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  onTestFinished(() => void front.close());
  return {
    url: `http://rebound.example:${(front.address() as AddressInfo).port}`,
    leadTo(other: string) {
      target = other;
      for (const client of clients) client.destroy();
    },
  };
}

/** All that a page can try against the scanner at `url`; runs in the page and tells what came of it. */
async function assault(url: string) {
  const outcome = (attempt: Promise<Response>) =>
    attempt.then(
      async (reply) => `${reply.type} ${reply.status} ${(await reply.text()).slice(0, 200)}`,
      (error: Error) => error.name,
    );
  const listen = (path: string, protocols: string[] = []) =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(`${url.replace("http", "ws")}${path}`, protocols);
      socket.addEventListener("open", () => resolve("open"));
      socket.addEventListener("close", ({ code }) => resolve(`closed ${code}`));
    });
  const body = JSON.stringify({ degrees: 10 });
  const angle = `${url}/latest/motors/turntable/angle`;
  return {
    stream: await listen("/latest/ws/device"),
    v1: await listen("/latest/ws/tasks?v=1", ["openscan.v1"]),
    read: await outcome(fetch(`${url}/latest/device/info`)),
    readBlindly: await outcome(fetch(`${url}/latest/device/info`, { mode: "no-cors" })),
    create: await outcome(fetch(`${url}/latest/projects/evil`, { method: "POST", mode: "no-cors" })),
    start: await outcome(
      fetch(`${url}/latest/tasks/hello_world_async_task`, {
        method: "POST",
        mode: "no-cors",
        headers: { "Content-Type": "text/plain" },
        body,
      }),
    ),
    turn: await outcome(fetch(angle, { method: "PATCH", body })),
    turnWithJson: await outcome(
      fetch(angle, { method: "PUT", headers: { "Content-Type": "application/json" }, body }),
    ),
    ticket: await outcome(fetch(`${url}/auth/ticket`, { method: "POST" })),
  };
}

test.skipIf(chromiumMissing)(
  `in Chromium, a foreign page neither reads, listens nor changes${chromiumMissing}`,
  async () => {
    const server = await startServer();
    const { url } = server.api;
    const before = await angleOf(server);
    const page = await (await openBrowser(rebinding)).newPage();
    const site = `http://evil.example:${await startForeignSite()}`;
    await page.goto(`${site}/`);
    expect(await page.evaluate(assault, url)).toEqual({
      stream: "closed 1006",
      v1: "closed 1006",
      read: "TypeError",
      // The browser sends this one, but shows the page nothing of the answer.
      readBlindly: "opaque 0 ",
      create: "opaque 0 ",
      start: "opaque 0 ",
      turn: "TypeError",
      turnWithJson: "TypeError",
      ticket: "TypeError",
    });
    // The attack is a real one: it gets through where the operator lets it.
    const careless = await startServer(undefined, { config: { allowOrigins: [site] } });
    expect(await page.evaluate(assault, careless.api.url)).toMatchObject({
      stream: "open",
      v1: "open",
      read: expect.stringMatching(/^cors 200 /) as string,
      turn: expect.stringMatching(/^cors 200 /) as string,
    });
    // A form needs no permission to be sent, and shows its answer instead of the page.
    const answered = page.waitForResponse(`${url}/latest/projects/evil`);
    await page.evaluate((action) => {
      const form = document.createElement("form");
      Object.assign(form, { action, method: "post", enctype: "text/plain" });
      document.body.append(form);
      form.submit();
    }, `${url}/latest/projects/evil`);
    expect((await answered).status()).toBe(403);
    expect((await server.api.call("GET", "/latest/projects/")).body).toEqual({});
    expect((await server.api.call("GET", "/latest/tasks/")).body).toEqual([]);
    expect(await angleOf(server)).toBe(before);
  },
);

test.skipIf(chromiumMissing)(
  `in Chromium, a name that is rebound to us opens nothing${chromiumMissing}`,
  async () => {
    const server = await startServer();
    const name = await startRebinding(await startForeignSite());
    const before = await angleOf(server);
    const page = await (await openBrowser(rebinding)).newPage();
    await page.goto(`${name.url}/`);
    expect(await page.textContent("p")).toBe("Win a prize");
    name.leadTo(new URL(server.api.url).port);
    const refused = expect.stringMatching(
      /^basic 403 .*rebound\.example:\d+\\" is not a host name of this scanner/,
    ) as string;
    expect(await page.evaluate(assault, name.url)).toEqual({
      stream: "closed 1006",
      v1: "closed 1006",
      read: refused,
      readBlindly: refused,
      create: refused,
      start: refused,
      turn: refused,
      turnWithJson: refused,
      ticket: refused,
    });
    const careless = await startServer(undefined, { config: { allowHosts: ["rebound.example"] } });
    name.leadTo(new URL(careless.api.url).port);
    expect(await page.evaluate(assault, name.url)).toMatchObject({
      stream: "open",
      v1: "open",
      read: expect.stringMatching(/^basic 200 /) as string,
      turn: expect.stringMatching(/^basic 200 /) as string,
    });
    name.leadTo(new URL(server.api.url).port);
    expect((await page.goto(`${name.url}/`))?.status()).toBe(403);
    expect((await server.api.call("GET", "/latest/projects/")).body).toEqual({});
    expect(await angleOf(server)).toBe(before);
  },
);

test.skipIf(chromiumMissing)(
  `in Chromium, the status page asks for a token and keeps it out of URLs${chromiumMissing}`,
  async () => {
    const { api } = await startServer(undefined, { config: { token: control, viewToken: view } });
    const page = await (await openBrowser(rebinding)).newPage();
    const urls: string[] = [];
    page.on("request", (request) => urls.push(request.url()));
    page.on("websocket", (socket) => urls.push(socket.url()));
    await page.goto(`${api.url}/`);
    const token = page.locator("#token");
    await token.fill("wrong-token-0123456789");
    const refused = page.waitForResponse(
      (reply) =>
        reply.status() === 401 &&
        reply.request().headers()["authorization"] === "Bearer wrong-token-0123456789",
    );
    await token.press("Enter");
    await refused;
    await page.locator("#login[open]").waitFor();
    await token.fill(view);
    await token.press("Enter");
    await page.locator("#link.live").waitFor();
    const previewShown = () =>
      page.waitForFunction(() => (document.querySelector("#preview") as HTMLImageElement).naturalWidth > 0);
    await previewShown();
    await page.locator("#motors button").first().click();
    await page.getByText("the token may only view").waitFor();

    await page.evaluate((value) => sessionStorage.setItem("openscan.token", value), control);
    await page.reload();
    await previewShown();
    await page.locator("#scan input[name=points]").fill("2");
    await page.locator("#scan button").click();
    await page.waitForFunction(() => {
      const photos = [...document.querySelectorAll<HTMLImageElement>("#photos img")];
      return photos.length === 2 && photos.every((image) => image.naturalWidth > 0);
    });
    expect(await page.evaluate(() => [localStorage.length, document.cookie])).toEqual([0, ""]);
    expect(urls.length).toBeGreaterThan(10);
    for (const url of urls)
      for (const secret of [control, view])
        expect([url, url.includes(secret) || url.includes(encodeURIComponent(secret))]).toEqual([url, false]);
  },
);

test.skipIf(chromiumMissing)(
  `in Chromium, the status page of an open scanner asks for nothing${chromiumMissing}`,
  async () => {
    const { api } = await startServer();
    const page = await (await openBrowser(rebinding)).newPage();
    const urls: string[] = [];
    page.on("request", (request) => urls.push(request.url()));
    await page.goto(`${api.url}/`);
    await page.locator("#link.live").waitFor();
    await page.waitForFunction(
      () => (document.querySelector("#preview") as HTMLImageElement).naturalWidth > 0,
    );
    expect(await page.locator("#login[open]").count()).toBe(0);
    expect(urls.filter((url) => url.includes("ticket"))).toEqual([]);
  },
);
