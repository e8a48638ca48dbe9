import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { configurationOf, createDevice, startDevice } from "./support.js";
import { httpLight } from "./http-light.js";

const read = (path: string) => readFile(new URL(path, import.meta.url), "utf8");

test("the sample of writing-a-driver.md is the driver that is compiled and tested here", async () => {
  const document = await read("../../../docs/writing-a-driver.md");
  expect(/```ts\n(.*?)```/s.exec(document)?.[1]).toBe(await read("./http-light.ts"));
});

test("the README's example runs", { timeout: 60_000 }, async () => {
  const script = /```js\n(.*?)```/s.exec(await read("../README.md"))?.[1] ?? "";
  const cwd = fileURLToPath(new URL("..", import.meta.url));
  const args = ["--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd });
  const lines = stdout.trim().split("\n");
  expect(lines).toContain("changed: everything");
  expect(lines.find((line) => line.includes("image/jpeg"))).toMatch(/^\d{5,} bytes of image\/jpeg/);
});

describe("the sample driver", () => {
  /** A socket that remembers what it was told. */
  async function socket(status: number) {
    const asked: string[] = [];
    const server = createServer((request, reply) => {
      asked.push(request.url ?? "");
      reply.writeHead(status).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const close = () => {
      server.close();
      server.closeAllConnections();
    };
    return { asked, url: `http://127.0.0.1:${port}`, close };
  }

  test("switches a lamp", async () => {
    const { asked, url, close } = await socket(200);
    const lights = { lamp: { driver: { kind: "http", url } } };
    const { device } = await startDevice({ lights }, [httpLight]);
    await device.light("lamp").turnOff();
    await device.close();
    close();
    expect(asked).toEqual(["off", "on", "off", "off"].map((turn) => `/relay?turn=${turn}`));
  });

  test("is left out when the lamp does not answer well", async () => {
    const { url, close } = await socket(500);
    const { device, log } = createDevice([httpLight]);
    await device.initialize(configurationOf({ lights: { lamp: { driver: { kind: "http", url } } } }));
    close();
    expect(device.status().lights).toEqual({});
    expect(String(log.lines[0]?.fields.err)).toBe(`Error: ${url} answered 500`);
  });

  test("is refused without its url", async () => {
    const { device } = createDevice([httpLight]);
    const wrong = configurationOf({ lights: { lamp: { driver: "http" } } });
    await expect(device.initialize(wrong)).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringMatching(/light "lamp": driver http: .*url/s) as string,
    });
  });
});
