import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { angleOf, attempt, detail, local, motor, shake, turn } from "./support/attack.js";
import { startServer } from "./support/in-process.js";
import { type RawAnswer, rawHandshake, rawRequest, sendRaw } from "./support/raw-http.js";

const foreignOrigins = [
  "http://evil.example",
  "https://evil.example:8000",
  "null",
  "",
  "file://",
  "http://localhost.evil.example",
  "http://127.0.0.1.evil.example",
  "http://evil.local.example",
  "http://openscan.local@evil.example",
  "http://evil.example@openscan.local",
  "http://2130706433",
  "http://0x7f.1",
  "http://127.1",
  "http://0177.0.0.1",
  "http://8.8.8.8",
  "http://[2001:db8::1]",
  "http://[::ffff:8.8.8.8]",
  "http://xn--lcalhost-54a.example",
  "http://l\u00f6calhost",
  "http://localhost/",
  "http://localhost, http://evil.example",
  "chrome-extension://abcdefghijklmnop",
  "http://com.",
  "HTTP://EVIL.EXAMPLE",
];

const ownOrigins = [
  "http://localhost",
  "http://LOCALHOST:5173",
  "http://openscan.local",
  "https://openscan.lan:8443",
  "http://127.0.0.1:3000",
  "http://192.168.178.20",
  "http://100.64.1.2",
  "http://[::1]:3000",
  "http://[fe80::1]",
  "http://[::ffff:10.0.0.1]",
  "http://openscan:80",
];

const foreignHosts = [
  "evil.example",
  "evil.example:8000",
  "EVIL.EXAMPLE.",
  "localhost.evil.example",
  "127.0.0.1.nip.io",
  "evil.local.example",
  "user@localhost",
  "localhost:80@evil.example",
  "2130706433",
  "0x7f000001",
  "0177.0.0.1",
  "127.1",
  "[::ffff:8.8.8.8]",
  "8.8.8.8",
  "localhost..",
  "com.",
  "l\u00f6calhost",
  "",
];

describe("a scanner without tokens", () => {
  const start = () => startServer();

  test("a foreign page cannot open a stream", async () => {
    const { api } = await start();
    for (const origin of foreignOrigins) {
      const answer = await shake(api.url, [local, ["Origin", origin]]);
      expect([origin, answer.status]).toEqual([origin, 403]);
      expect(detail(answer)).toMatch(/^pages of ".*" may not use this scanner; --allow-origin/);
      const v1 = await shake(api.url, [local, ["Origin", origin], ["Sec-WebSocket-Protocol", "openscan.v1"]]);
      expect([origin, v1.status]).toEqual([origin, 403]);
    }
    expect(
      (await shake(api.url, [local, ["Origin", "http://localhost"], ["Origin", "http://evil.example"]]))
        .status,
    ).toBe(403);
  });

  test("pages of our network, and clients that are no pages, open streams as ever", async () => {
    const { api } = await start();
    for (const origin of ownOrigins)
      expect([origin, (await shake(api.url, [local, ["Origin", origin]])).status]).toEqual([origin, 101]);
    expect((await shake(api.url, [local])).status).toBe(101);
    expect(await attempt(api.url, ["openscan.v1"])).toEqual({ status: 101, protocol: "openscan.v1" });
  });

  test("a name that is not ours leads nowhere, neither by REST nor by a handshake", async () => {
    const server = await start();
    const { url } = server.api;
    const before = await angleOf(server);
    for (const host of foreignHosts) {
      const answers = await Promise.all([
        sendRaw(url, rawRequest("GET", "/latest/device/info", [["Host", host]])),
        sendRaw(url, rawRequest("GET", "/", [["Host", host]])),
        sendRaw(url, rawRequest("OPTIONS", "/latest/", [["Host", host]])),
        turn(url, [["Host", host]]),
        shake(url, [["Host", host]]),
        // The page of a rebound name has that name as its origin, too.
        shake(url, [
          ["Host", host],
          ["Origin", `http://${host}`],
        ]),
      ]);
      expect([host, ...answers.map(({ status }) => status)]).toEqual([host, 403, 403, 403, 403, 403, 403]);
      for (const answer of answers) {
        expect(detail(answer)).toMatch(/^".*" is not a host name of this scanner; --allow-host NAME/);
        expect(answer.headers.get("access-control-allow-origin")).toBeUndefined();
      }
    }
    expect(detail(await sendRaw(url, rawRequest("GET", "/", [["Host", "evil.example"]])))).toContain(
      '"evil.example"',
    );
    expect(await angleOf(server)).toBe(before);
  });

  test("our own names and addresses work", async () => {
    const { api } = await start();
    for (const host of [
      "localhost",
      "LOCALHOST:8000",
      "openscan",
      "openscan:8000",
      "openscan.local",
      "openscan.local.",
      "scanner.lan:80",
      "192.168.1.20",
      "[::1]:8000",
      "[fe80::1%25eth0]",
      "169.254.3.4",
    ]) {
      const answer = await sendRaw(api.url, rawRequest("GET", "/latest/", [["Host", host]]));
      expect([host, answer.status]).toEqual([host, 200]);
    }
  });

  test("two Host headers, none, and the absolute form of a target give no way around", async () => {
    const { api } = await start();
    const ask = async (text: string) => (await sendRaw(api.url, text)).status;
    const evil = ["Host", "evil.example"] as const;
    expect(await ask(rawRequest("GET", "/latest/", [local, evil]))).toBe(400);
    expect(await ask(rawRequest("GET", "/latest/", [evil, local]))).toBe(400);
    expect(await ask(rawRequest("GET", "/latest/", [local, local]))).toBe(400);
    expect(await ask(rawHandshake("/latest/ws/device", [local, evil]))).toBe(400);
    expect(await ask(rawRequest("GET", "/latest/", []))).toBe(400);
    expect(await ask(rawHandshake("/latest/ws/device", []))).toBe(400);
    expect(await ask("GET /latest/ HTTP/1.0\r\n\r\n")).toBe(200);
    expect(await ask(rawRequest("GET", "http://evil.example/latest/", [local]))).toBe(403);
    expect(await ask(rawRequest("GET", "http://localhost/latest/", [evil]))).toBe(403);
    expect(await ask(rawRequest("GET", "http://localhost@evil.example/latest/", [local]))).toBe(403);
    expect(await ask(rawRequest("GET", "http://localhost/latest/", [local]))).toBe(200);
    // What offers another protocol is an ordinary request, under the ordinary rules.
    const upgrade = [
      ["Upgrade", "h2c"],
      ["Connection", "Upgrade"],
    ] as const;
    expect(await ask(rawRequest("GET", "/latest/", [evil, ...upgrade]))).toBe(403);
  });

  test("a foreign page cannot change anything, however harmless its request looks", async () => {
    const server = await start();
    const { url } = server.api;
    const before = await angleOf(server);
    const body = '{"degrees":10}';
    const types = [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/json",
    ];
    for (const type of types)
      for (const method of ["POST", "PATCH", "PUT", "DELETE"]) {
        const headers = [local, ["Origin", "http://evil.example"], ["Content-Type", type]] as const;
        const answer = await sendRaw(url, rawRequest(method, `${motor}/angle?degrees=10`, headers, body));
        expect([type, method, answer.status]).toEqual([type, method, 403]);
        expect(detail(answer)).toContain('"http://evil.example"');
      }
    for (const path of ["/latest/tasks/hello_world_async_task", "/api/v0.9/projects/evil", "/auth/ticket"]) {
      const answer = await sendRaw(url, rawRequest("POST", path, [local, ["Origin", "null"]], "{}"));
      expect([path, answer.status]).toEqual([path, 403]);
    }
    expect(await angleOf(server)).toBe(before);
    expect((await server.api.call<object>("GET", "/latest/projects/")).body).not.toHaveProperty("evil");

    expect((await turn(url, [local, ["Origin", "http://localhost:5173"]])).status).toBe(200);
    expect((await turn(url, [local])).status).toBe(200);
    expect(await angleOf(server)).toBeCloseTo(before + 20, 0);
  });

  test("a foreign page cannot read anything, and its preflight is refused", async () => {
    const { api } = await start();
    const camera = `/latest/cameras/simulated_camera/photo`;
    const allowing = ({ headers }: RawAnswer) =>
      [...headers.keys()].filter((name) => name.startsWith("access-control-"));
    for (const path of ["/latest/device/info", "/latest/tasks/", camera, "/versions", "/", "/latest/none"]) {
      const foreign = await sendRaw(
        api.url,
        rawRequest("GET", path, [local, ["Origin", "http://evil.example"], ["Cookie", "a=b"]]),
      );
      expect([path, ...allowing(foreign)]).toEqual([path]);
      const own = await sendRaw(
        api.url,
        rawRequest("GET", path, [local, ["Origin", "http://openscan.local"]]),
      );
      expect(own.headers.get("access-control-allow-origin"), path).toBe("*");
      for (const { headers } of [foreign, own]) expect(headers.get("vary"), path).toContain("Origin");
    }
    const preflight = (origin: string) =>
      sendRaw(
        api.url,
        rawRequest("OPTIONS", `${motor}/angle`, [
          local,
          ["Origin", origin],
          ["Access-Control-Request-Method", "PATCH"],
          ["Access-Control-Request-Headers", "authorization,content-type"],
        ]),
      );
    const foreign = await preflight("http://evil.example");
    expect([foreign.status, ...allowing(foreign)]).toEqual([403]);
    const own = await preflight("http://openscan.local:5173");
    expect(own.status).toBe(200);
    expect(own.headers.get("access-control-allow-origin")).toBe("http://openscan.local:5173");
    expect(own.headers.get("access-control-allow-headers")).toBe("authorization,content-type");
  });

  test("a foreign page cannot put ours into a frame", async () => {
    const { api } = await start();
    const page = await fetch(`${api.url}/`);
    expect(page.headers.get("Content-Security-Policy")).toBe("frame-ancestors 'self'");
    expect(await page.text()).toContain("<title>OpenScan</title>");
  });

  test("no path leads out of the folders", async () => {
    const { api } = await start();
    await api.call("POST", "/latest/projects/vase");
    const climbs = [
      "/../../../../etc/passwd",
      "/..%2f..%2f..%2fetc%2fpasswd",
      "/%2e%2e/%2e%2e/package.json",
      "/..\\..\\package.json",
      "/status.js/../../package.json",
      "//etc/passwd",
      "/latest/projects/..%2f..%2fsettings",
      "/latest/projects/%2e%2e",
      "/latest/projects/%2fetc%2fpasswd",
      "/latest/projects/vase%00/thumbnail",
      "/latest/projects/vase/1/photo?filename=../../../../../../etc/passwd&file_only=true",
      "/latest/projects/vase/1/photo?filename=%2fetc%2fpasswd&file_only=true",
      "/latest/projects/vase/..%2f..%2fsettings/photo?filename=device_config.json&file_only=true",
      "/latest/tasks/..%2f..%2fsettings",
      "/latest/../../package.json",
    ];
    for (const path of climbs) {
      const { status, body } = await sendRaw(api.url, rawRequest("GET", path, [local]));
      expect([path, [400, 403, 404, 422].includes(status)]).toEqual([path, true]);
      expect(body, path).not.toMatch(/root:|"dependencies"|"motors"/);
    }
    const created = await api.call("POST", "/latest/projects/..%2f..%2fescaped");
    expect([400, 404, 422]).toContain(created.status);
    expect((await api.call("DELETE", "/latest/projects/%2e%2e")).status).toBeGreaterThanOrEqual(400);
    expect((await api.call("GET", "/latest/projects/vase")).status).toBe(200);
  });

  test("a request with two readings is not read at all", async () => {
    const { api } = await start();
    const smuggled = [
      "POST /latest/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET",
      "POST /latest/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 40\r\n\r\n{}",
      "GET /latest/ HTTP/1.1\r\nHost: localhost\r\nX: a\nHost: evil.example\r\n\r\n",
      "GET /latest/ HTTP/1.1\r\nHost : localhost\r\n\r\n",
      "GET /latest/ HTTP/1.1\r\nHost: localhost\r\n folded: evil\r\n\r\n",
      "GET /latest/\0 HTTP/1.1\r\nHost: localhost\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01\x00",
    ];
    for (const text of smuggled) expect([text, (await sendRaw(api.url, text)).status]).toEqual([text, 400]);
  });
});

test("names and origins that the operator lists work, and only those", async () => {
  const { api } = await startServer(undefined, {
    config: { allowHosts: ["scanner.example.org"], allowOrigins: ["https://ui.example", "null"] },
  });
  const listed = ["Host", "scanner.example.org:8443"] as const;
  expect((await turn(api.url, [listed, ["Origin", "https://scanner.example.org"]])).status).toBe(200);
  expect((await shake(api.url, [listed, ["Origin", "https://ui.example"]])).status).toBe(101);
  expect((await shake(api.url, [local, ["Origin", "null"]])).status).toBe(101);
  expect((await shake(api.url, [local, ["Origin", "http://ui.example"]])).status).toBe(403);
  expect((await shake(api.url, [["Host", "x.scanner.example.org"]])).status).toBe(403);
});

describe("floods", () => {
  test("who sends too many, too long or binary messages is closed, alone", async () => {
    const { api } = await startServer();
    const [healthy, chatty, flooding, binary, long] = await Promise.all(
      Array.from({ length: 5 }, () => api.listen("device")),
    );
    for (let i = 0; i < 60; i++) chatty?.socket.send('{"type":"pong"}');
    for (let i = 0; i < 400; i++) flooding?.socket.send("{");
    binary?.socket.send(Buffer.from([1]));
    long?.socket.send("x".repeat(64 * 1024 + 1));
    expect(await flooding?.closed).toMatchObject({ code: 1008 });
    expect(await binary?.closed).toMatchObject({ code: 1003 });
    expect(await long?.closed).toMatchObject({ code: 1009 });
    await api.call("PATCH", "/latest/lights/Openscan.eu%20Ringlight/toggle");
    await healthy?.find(({ type }) => type === "device.status");
    await chatty?.find(({ type }) => type === "device.status");
  });

  test("connection 257 is let in, and the quietest one makes room", async () => {
    const { api } = await startServer();
    const first = await api.listen("tasks");
    const others = await Promise.all(Array.from({ length: 255 }, () => api.listen("device")));
    for (const { socket } of others) socket.send("{}");
    const pongs = others.map(({ socket }) => {
      socket.ping();
      return once(socket, "pong");
    });
    await Promise.all(pongs); // all has been read
    await api.listen("tasks");
    const { code, reason } = await first.closed;
    expect([code, JSON.parse(reason)]).toEqual([1013, { retry_after_ms: expect.any(Number) as number }]);
    expect(others.every(({ socket }) => socket.readyState === WebSocket.OPEN)).toBe(true);
  });

  test("who sends a request slowly, or none, is sent away; others are served meanwhile", async () => {
    const { api } = await startServer();
    const { hostname, port } = new URL(api.url);
    const slow = Array.from({ length: 40 }, (_, i) => {
      const socket = connect(Number(port), hostname);
      socket.on("error", () => {});
      socket.resume();
      if (i % 2 === 0) socket.write("GET /latest/ HTTP/1.1\r\nHost: localhost\r\nX-Drop: ");
      return socket;
    });
    expect((await api.call("GET", "/latest/")).status).toBe(200);
    await Promise.all(slow.map((socket) => once(socket, "close")));
  }, 40_000);

  test("a request that is too large is refused", async () => {
    const { api } = await startServer();
    const ask = async (text: string) => (await sendRaw(api.url, text)).status;
    expect(await ask(rawRequest("GET", `/${"x".repeat(20_000)}`, [local]))).toBe(431);
    expect(await ask(rawRequest("GET", "/latest/", [local, ["Cookie", "x".repeat(20_000)]]))).toBe(431);
    expect(await ask(rawRequest("POST", "/latest/", [local], " ".repeat(1_100_000)))).toBe(413);
  });
});
