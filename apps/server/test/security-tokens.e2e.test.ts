import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "@openscan/runtime";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  angleOf,
  attempt,
  bearer,
  control,
  detail,
  local,
  motor,
  shake,
  turn,
  view,
} from "./support/attack.js";
import { type ServerProcess, spawnServer } from "./support/child.js";
import { createFolder, quickConfiguration, type ScannerFolder } from "./support/folder.js";
import { startServer } from "./support/in-process.js";
import { type RawAnswer, rawHandshake, rawRequest, sendRaw } from "./support/raw-http.js";

describe("a scanner with tokens", () => {
  const tokens = { config: { token: control, viewToken: view } };
  const start = () => startServer(undefined, tokens);
  const authorization = (token: string) => ["Authorization", `Bearer ${token}`] as const;

  test("without a token nothing is told or done, but that there is a scanner", async () => {
    const server = await start();
    const { url } = server.api;
    const closed = [
      "/latest/",
      "/v0.8/device/info",
      "/api/next/tasks/",
      "/latest/cameras/simulated_camera/preview",
      "/metrics",
      "/api/metrics",
      "/nothing",
      "/latest/..%2f",
      "/HEALTH",
      "/health/",
      "//health",
      "/x/status.js",
    ];
    for (const path of closed) {
      const answer = await sendRaw(url, rawRequest("GET", path, [local]));
      expect([path, answer.status, answer.headers.get("www-authenticate")]).toEqual([path, 401, "Bearer"]);
      expect(detail(answer)).toContain("a token is needed");
    }
    for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
      expect((await sendRaw(url, rawRequest(method, `${motor}/angle`, [local], "{}"))).status).toBe(401);
    for (const path of ["/health", "/api/health", "/versions", "/api/versions", "/", "/status", "/status.js"])
      expect([path, (await sendRaw(url, rawRequest("GET", path, [local]))).status]).toEqual([path, 200]);
    for (const path of ["/health", "/", "/status.js"])
      expect([path, (await sendRaw(url, rawRequest("POST", path, [local], "{}"))).status]).toEqual([
        path,
        401,
      ]);
  });

  test("a wrong or misplaced token is none", async () => {
    const { api } = await start();
    const places: readonly (readonly [string, string])[] = [
      authorization("wrong-token-0123456789"),
      authorization(control.toUpperCase()),
      authorization(`${control}${control}`),
      ["Authorization", control],
      ["Authorization", `Basic ${Buffer.from(`x:${control}`).toString("base64")}`],
      ["Authorization", `Bearer ${control} ${control}`],
      ["Cookie", `token=${control}`],
      ["X-Api-Key", control],
      ["Proxy-Authorization", `Bearer ${control}`],
      ["Sec-WebSocket-Protocol", bearer(control)],
    ];
    for (const header of places)
      expect([
        header,
        (await sendRaw(api.url, rawRequest("GET", "/latest/", [local, header]))).status,
      ]).toEqual([header, 401]);
    for (const query of ["token", "access_token", "authorization", "api_key", "bearer", "ticket"]) {
      const target = `/latest/?${query}=${encodeURIComponent(control)}`;
      expect([target, (await sendRaw(api.url, rawRequest("GET", target, [local]))).status]).toEqual([
        target,
        401,
      ]);
      const stream = `/latest/ws/device?${query}=${encodeURIComponent(control)}`;
      expect([stream, (await shake(api.url, [local], stream)).status]).toEqual([stream, 401]);
    }
  });

  test("a view token reads and listens, and changes nothing", async () => {
    const server = await start();
    const { url } = server.api;
    const before = await angleOf(server, { Authorization: `Bearer ${view}` });
    for (const path of ["/latest/device/info", "/metrics", "/api/v0.9/tasks/"])
      expect([
        path,
        (await sendRaw(url, rawRequest("GET", path, [local, authorization(view)]))).status,
      ]).toEqual([path, 200]);
    const refused = await turn(url, [local, authorization(view)]);
    expect([refused.status, detail(refused)]).toEqual([
      403,
      "the token may only view; changing something needs the control token",
    ]);
    for (const path of ["/api/next/motors/turntable", "/LATEST/motors/turntable", "/v0.8/motors/turntable"])
      expect([path, (await turn(url, [local, authorization(view)], path)).status]).toEqual([path, 403]);
    // The one GET that changes something.
    const crop = "/develop/crop_image?camera_name=simulated_camera";
    for (const path of [`/latest${crop}`, `/api/NEXT${crop.replace("crop_image", "CROP_image/")}`]) {
      expect([
        path,
        (await sendRaw(url, rawRequest("GET", path, [local, authorization(view)]))).status,
      ]).toEqual([path, 403]);
    }
    expect(await angleOf(server, { Authorization: `Bearer ${view}` })).toBe(before);
    expect((await turn(url, [local, authorization(control)])).status).toBe(200);
    expect(await angleOf(server, { Authorization: `Bearer ${view}` })).toBeCloseTo(before + 10, 0);
  });

  test("a handshake needs a token, and a v1 client is told why it has to go", async () => {
    const { api } = await start();
    const { url } = api;
    const final = { status: 101, code: 4401 };
    expect(await attempt(url, [])).toEqual({ status: 401 });
    expect(await attempt(url, [bearer("wrong-token-0123456789")])).toEqual({ status: 401 });
    expect(await attempt(url, ["openscan.v1"])).toEqual({
      ...final,
      reason: "a token is needed; send it as Authorization: Bearer, never in the URL",
    });
    expect(await attempt(url, ["openscan.v1", bearer("wrong-token-0123456789")])).toEqual({
      ...final,
      reason: "the token is wrong",
    });
    expect(await attempt(url, ["openscan.v1"], {}, "?ticket=wrong")).toEqual({
      ...final,
      reason: "the ticket is wrong, used or too old",
    });
    for (const token of [view, control]) {
      expect(await attempt(url, [bearer(token)])).toEqual({ status: 101, protocol: bearer(token) });
      expect(await attempt(url, ["openscan.v1", bearer(token)])).toEqual({
        status: 101,
        protocol: "openscan.v1",
      });
      expect(await attempt(url, [bearer(token), "openscan.v1"])).toEqual({
        status: 101,
        protocol: "openscan.v1",
      });
      expect(await attempt(url, [], { Authorization: `Bearer ${token}` })).toEqual({
        status: 101,
        protocol: "",
      });
    }
    const bare = await shake(url, [local]);
    expect([bare.status, bare.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    // A token is no reason to let a foreign page in.
    expect(
      (await shake(url, [local, authorization(control), ["Origin", "http://evil.example"]])).status,
    ).toBe(403);
    expect((await shake(url, [["Host", "evil.example"], authorization(control)])).status).toBe(403);
  });

  async function ticketOf(url: string, token: string, path = "/auth/ticket") {
    const answer = await sendRaw(url, rawRequest("POST", path, [local, authorization(token)]));
    expect([path, answer.status, answer.headers.get("cache-control")]).toEqual([path, 200, "no-store"]);
    const { ticket, expires_in_ms } = JSON.parse(answer.body) as { ticket: string; expires_in_ms: number };
    expect(expires_in_ms).toBe(10_000);
    return `ticket=${ticket}`;
  }

  test("a ticket is good for one handshake or one GET, and for nothing else", async () => {
    const server = await start();
    const { url } = server.api;
    for (const path of ["/auth/ticket", "/api/auth/ticket", "/latest/auth/ticket", "/api/v0.8/auth/ticket"])
      for (const token of [view, control]) {
        const stream = await ticketOf(url, token, path);
        expect(await attempt(url, ["openscan.v1"], {}, `?${stream}`)).toEqual({
          status: 101,
          protocol: "openscan.v1",
        });
        expect(await attempt(url, [], {}, `?${stream}`)).toEqual({ status: 401 });
        const get = await ticketOf(url, token, path);
        const photo = `/latest/cameras/simulated_camera/photo?${get}`;
        expect((await sendRaw(url, rawRequest("GET", photo, [local]))).status).toBe(200);
        const again = await sendRaw(url, rawRequest("GET", photo, [local]));
        expect([again.status, detail(again)]).toEqual([401, "the ticket is wrong, used or too old"]);
      }
    // Not even that of the control token changes anything, or makes another one; and trying does not use it up.
    const ticket = await ticketOf(url, control);
    for (const [method, path] of [
      ["PATCH", `${motor}/angle`],
      ["POST", "/latest/projects/evil"],
      ["POST", "/auth/ticket"],
    ] as const)
      expect(
        (await sendRaw(url, rawRequest(method, `${path}?${ticket}`, [local], '{"degrees":10}'))).status,
      ).toBe(401);
    expect((await sendRaw(url, rawRequest("GET", `/latest/?${ticket}`, [local]))).status).toBe(200);
    expect((await sendRaw(url, rawRequest("POST", "/auth/ticket", [local]))).status).toBe(401);
    const foreign = await ticketOf(url, control);
    expect(
      (await shake(url, [local, ["Origin", "http://evil.example"]], `/latest/ws/device?${foreign}`)).status,
    ).toBe(403);
  });

  test("a ticket ends after ten seconds", async () => {
    let skew = 0;
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + skew };
    const { api } = await startServer(undefined, { ...tokens, clock });
    const [first, second] = [await ticketOf(api.url, view), await ticketOf(api.url, view)];
    expect(await attempt(api.url, [], {}, `?${first}`)).toMatchObject({ status: 101 });
    skew = 10_000;
    expect(await attempt(api.url, [], {}, `?${second}`)).toEqual({ status: 401 });
    expect(await attempt(api.url, ["openscan.v1"], {}, `?${second}`)).toMatchObject({ code: 4401 });
  });

  test("who guesses has to wait, and locks out nobody else", async () => {
    const { api } = await start();
    const ask = (token: string, localAddress: string) =>
      sendRaw(api.url, rawRequest("GET", "/latest/", [local, authorization(token)]), localAddress);
    // Neither of these is a guess at a token: a foreign page could make its visitor's browser send them.
    for (let i = 0; i < 30; i++) {
      await sendRaw(api.url, rawRequest("GET", "/latest/?ticket=wrong", [local]), "127.0.0.2");
      await sendRaw(api.url, rawRequest("GET", "/latest/", [local]), "127.0.0.2");
    }
    for (let i = 0; i < 10; i++) expect((await ask(`wrong-token-${i}`, "127.0.0.2")).status).toBe(401);
    const blocked = await ask(control, "127.0.0.2");
    expect([blocked.status, detail(blocked)]).toEqual([
      429,
      expect.stringMatching(/^too many wrong tokens from 127\.0\.0\.2; try again in \d+ s$/) as string,
    ]);
    expect(Number(blocked.headers.get("retry-after"))).toBeGreaterThan(0);
    const handshake = rawHandshake("/latest/ws/device", [local, authorization(control)]);
    const stream = await sendRaw(api.url, handshake, "127.0.0.2");
    expect([stream.status, stream.headers.has("retry-after")]).toEqual([429, true]);
    expect((await ask(control, "127.0.0.3")).status).toBe(200);
    expect((await ask(view, "127.0.0.1")).status).toBe(200);
    // Behind a proxy on this machine it is the client that is blocked, not the proxy.
    const forwarded = async (address: string) =>
      (
        await sendRaw(
          api.url,
          rawRequest("GET", "/latest/", [
            local,
            authorization("wrong-again-012345"),
            ["X-Forwarded-For", address],
          ]),
          "127.0.0.4",
        )
      ).status;
    for (let i = 0; i < 10; i++) expect(await forwarded("10.1.1.1, 192.168.1.9")).toBe(401);
    expect(await forwarded("10.1.1.1, 192.168.1.9")).toBe(429);
    expect(await forwarded("192.168.1.9, 10.1.1.1")).toBe(401);
  });
});

describe("the process", () => {
  async function spawnWithTokens(folder: ScannerFolder): Promise<ServerProcess> {
    const root = join(folder.directories.logDir, "..");
    await writeFile(join(root, "token"), `${control}\n`, { mode: 0o600 });
    await writeFile(join(root, "view"), `${view}\n`, { mode: 0o600 });
    return spawnServer(folder, [
      "--token-file",
      join(root, "token"),
      "--view-token-file",
      join(root, "view"),
      "--log-level",
      "debug",
    ]);
  }

  test("no token and no ticket is in a log or an error reply, wherever it was sent", async () => {
    const folder = await createFolder(await quickConfiguration());
    onTestFinished(() => folder.remove());
    const server = await spawnWithTokens(folder);
    const { url } = server.api;
    const replies: RawAnswer[] = [];
    const ask = async (request: string, from = "127.0.0.1") => {
      const answer = await sendRaw(url, request, from);
      replies.push(answer);
      return answer;
    };
    const wrong = "wrong-token-9876543210";
    const tickets: string[] = [];
    const ticket = async () => {
      const { body } = await sendRaw(
        url,
        rawRequest("POST", "/auth/ticket", [local, ["Authorization", `Bearer ${control}`]]),
      );
      const made = (JSON.parse(body) as { ticket: string }).ticket;
      tickets.push(made);
      return made;
    };
    // From here on saving the configuration fails with 507, which logs the request.
    const broken = join(folder.directories.settingsDir, "device");
    await rm(broken, { recursive: true });
    await writeFile(broken, "no folder");
    const failing = "/latest/device/configurations/current";

    for (const [index, secret] of [control, view, wrong].entries()) {
      const from = `127.0.1.${index}`;
      const encoded = encodeURIComponent(secret);
      // A name that nobody knows to be a secret has to be named when it is refused as a name.
      const known = secret !== wrong;
      const host = [["Host", `${secret}.example`]] as const;
      for (const auth of [[], [["Authorization", `Bearer ${control}`] as const]])
        for (const path of ["/latest/", failing, "/latest/none", `/latest/projects/${encoded}`]) {
          for (const header of [
            ["Authorization", `Bearer ${secret}`],
            ["Authorization", secret],
            ["Cookie", `token=${secret}`],
            ["X-Forwarded-For", secret],
            ...(known
              ? ([
                  ["Origin", secret],
                  ["Origin", `http://${encoded}.example`],
                ] as const)
              : []),
            ["User-Agent", secret],
            ["Referer", `http://localhost/?token=${encoded}`],
            ["Sec-WebSocket-Protocol", bearer(secret)],
          ] as const) {
            await ask(rawRequest(path === failing ? "PATCH" : "GET", path, [local, ...auth, header]), from);
            await ask(rawHandshake("/latest/ws/device", [local, ...auth, header]), from);
          }
          for (const name of ["token", "access_token", "ticket", "authorization", "%74oken"])
            await ask(
              rawRequest(path === failing ? "PATCH" : "GET", `${path}?${name}=${encoded}&x=1`, [
                local,
                ...auth,
              ]),
              from,
            );
          await ask(rawRequest("GET", `${path}?ticket=${await ticket()}&token=${encoded}`, [local]), from);
          if (known)
            for (const named of [rawRequest("GET", path, host), rawHandshake("/latest/ws/device", host)])
              await ask(named, from);
          for (const wanted of [path, "/latest/device/configurations/"])
            await ask(rawRequest("POST", wanted, [local, ...auth], `{"${secret}":`), from);
          await ask(rawRequest("POST", path, [local, ...auth], JSON.stringify({ token: secret })), from);
        }
      for (const offer of [bearer(secret), `openscan.v1, ${bearer(secret)}`, secret])
        await ask(rawHandshake("/latest/ws/device", [local, ["Sec-WebSocket-Protocol", offer]]), from);
      await ask(rawHandshake(`/latest/ws/device?token=${encoded}&ticket=${await ticket()}`, [local]), from);
      await ask(rawHandshake(`/latest/ws/none?ticket=${await ticket()}`, [local]), from);
    }
    for (let i = 0; i < 11; i++)
      await ask(rawRequest("GET", "/latest/", [local, ["Authorization", `Bearer ${wrong}`]]));
    const errors = replies.filter(({ status }) => status >= 400);
    expect(new Set(errors.map(({ status }) => status))).toEqual(
      new Set([400, 401, 403, 404, 405, 422, 429, 507]),
    );
    await server.stop("SIGINT");

    const logs = await Promise.all(
      (await readdir(folder.directories.logDir)).map((name) =>
        readFile(join(folder.directories.logDir, name), "utf8"),
      ),
    );
    const written = [server.output(), ...logs];
    expect(written).toHaveLength(3);
    for (const text of written) {
      expect(text).toContain("request failed");
      expect(text).toContain("refused a wrong token");
    }
    const configured = [control, view].flatMap((secret) => [
      secret,
      encodeURIComponent(secret),
      bearer(secret).slice(16),
    ]);
    for (const secret of [...configured, wrong, bearer(wrong).slice(16), ...tickets])
      for (const [index, text] of written.entries())
        expect([index, secret, text.includes(secret)]).toEqual([index, secret, false]);
    for (const { body, headers } of errors)
      for (const secret of configured)
        expect(`${[...headers].join("\n")}\n${body}`.includes(secret), `${secret} in ${body}`).toBe(false);
  }, 120_000);

  test("its log says where it listens and whether tokens are on, and a bad token ends the start", async () => {
    const folder = await createFolder();
    onTestFinished(() => folder.remove());
    const open = await spawnServer(folder);
    expect(open.output()).toMatch(/INFO - \[\S+\] - listening address=127\.0\.0\.1 port=\d+ tokens=off/);
    await open.stop("SIGINT");
    const closed = await spawnWithTokens(folder);
    expect(closed.output()).toMatch(
      /INFO - \[\S+\] - listening address=127\.0\.0\.1 port=\d+ tokens="control, view"/,
    );
    await closed.stop("SIGINT");

    const short = join(folder.directories.logDir, "..", "short");
    await writeFile(short, "too-short-secret".slice(1));
    await expect(spawnServer(folder, ["--token-file", short])).rejects.toThrow(
      /ended with 1:\nopenscan-server: --token-file: a text of 15 characters is not valid; expected .* 16 to 256/,
    );
    await expect(spawnServer(folder, ["--token-file", `${short}-none`])).rejects.toThrow(
      /ended with 1:\nopenscan-server: --token-file: cannot read .*short-none: ENOENT/,
    );
  }, 120_000);
});
