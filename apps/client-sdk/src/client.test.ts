import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeScanner } from "../test/support/fake-scanner.js";
import { ScannerServer } from "../test/support/scanner-server.js";
import { createScannerClient, RequestError } from "./index.js";

let server: ScannerServer;
beforeEach(async () => {
  server = await ScannerServer.start();
});
afterEach(() => server.kill());

test.each([
  ["http://h:8000", undefined, "ws://h:8000/latest/ws/tasks?v=1"],
  ["https://h/api/", "v0.9", "wss://h/api/v0.9/ws/tasks?v=1"],
  ["http://h/api?x=1#y", "next", "ws://h/api/next/ws/tasks?v=1"],
])("%s with version %s is %s", (url, version, expected) => {
  const { client, sockets } = fakeScanner({ url, ...(version && { version }) });
  client.tasks.subscribe(() => {});
  expect(sockets.last.url).toBe(expected);
  client.close();
});

test.each(["ws://h", "h:8000", "", "ftp://h"])("the URL %s is refused", (url) => {
  expect(() => createScannerClient({ url })).toThrow(TypeError);
});

test("requests fill path and query, send the body and return the reply", async () => {
  server.answer = () => ({ status: 200, body: '{"id":"a"}' });
  const client = createScannerClient({ url: server.url });
  const params = { project_name: "Ünï 1", scan_index: 2 };
  const reply = await client.request("PATCH /projects/{project_name}/scans/{scan_index}/resume", {
    params,
    query: { camera_name: "cam 1" },
  });
  expect(reply).toEqual({ id: "a" });
  await client.request("POST /projects/{project_name}/scan", {
    params: { project_name: "x" },
    query: { camera_name: "c", scan_description: null },
    body: { points: 5 },
  });
  await client.request("GET /tasks/");
  expect(server.seen.events).toEqual([
    "PATCH /latest/projects/%C3%9Cn%C3%AF%201/scans/2/resume?camera_name=cam+1",
    'POST /latest/projects/x/scan?camera_name=c {"points":5}',
    "GET /latest/tasks/",
  ]);
});

test("requests fail with what the server said, and carry the token of the moment", async () => {
  const tokens = ["one", "two"];
  const sent: unknown[] = [];
  const client = createScannerClient({
    url: server.url,
    token: () => tokens.shift(),
    fetch: (url, init) => {
      sent.push(init.headers);
      expect(url).not.toContain("one");
      return fetch(url, init);
    },
  });
  const request = client.request("GET /device/info");
  expect(await request).toMatchObject({ name: "one" });
  server.device = null;
  await expect(client.request("GET /device/info")).rejects.toBeInstanceOf(RequestError);
  expect(sent).toEqual([{ authorization: "Bearer one" }, { authorization: "Bearer two" }]);
});

test("a URL names what an image element is to show", () => {
  const client = createScannerClient({ url: "http://h/api", version: "v0.9" });
  expect(
    client.url("GET /projects/{project_name}/{scan_index}/photo", {
      params: { project_name: "a b", scan_index: 1 },
      query: { filename: "stacked/1.jpg", file_only: true },
    }),
  ).toBe("http://h/api/v0.9/projects/a%20b/1/photo?filename=stacked%2F1.jpg&file_only=true");
  expect(client.url("GET /device/info")).toBe("http://h/api/v0.9/device/info");
});
