import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { defineEndpoint, ScanError } from "@openscan/protocol";
import { systemClock } from "@openscan/runtime";
import { recordingLogger } from "@openscan/runtime/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { Access } from "../security/access.js";
import { Senders } from "../security/senders.js";
import { createApplication } from "./application.js";
import { route } from "./route.js";

const seen: unknown[] = [];
const routes = [
  route(
    defineEndpoint({
      operationId: "echo",
      method: "put",
      path: "/things/{name}/value",
      params: z.object({ name: z.string() }),
      query: z.object({
        degrees: z.number().max(360),
        on: z.boolean().default(false),
        tags: z.array(z.string()).default([]),
      }),
      body: z
        .object({ step: z.int().optional(), inner: z.object({ deep: z.number() }).optional() })
        .optional(),
      response: z.object({ ok: z.boolean() }),
    }),
    (input) => {
      seen.push(input);
      return { ok: true };
    },
  ),
  route(defineEndpoint({ operationId: "light", method: "patch", path: "/light" }), ({ body }) => ({
    body: body ?? "none",
  })),
  route(
    defineEndpoint({ operationId: "gone", method: "delete", path: "/gone", status: 204 }),
    () => undefined,
  ),
  route(defineEndpoint({ operationId: "root", method: "get", path: "/" }), () => "root"),
  route(
    defineEndpoint({
      operationId: "fails",
      method: "get",
      path: "/fails/{how}",
      params: z.object({ how: z.string() }),
    }),
    ({ params }) => {
      if (params.how === "known") throw new ScanError("busy", "motor rotor is busy");
      if (params.how === "object")
        throw new ScanError("not_found", "none", { detail: { message: "none", available: [] } });
      throw new Error("secret detail");
    },
  ),
  route(
    defineEndpoint({
      operationId: "wrong",
      method: "get",
      path: "/wrong",
      response: z.object({ n: z.number() }),
    }),
    () => ({ n: "1" }) as never,
  ),
  route(
    defineEndpoint({
      operationId: "state",
      method: "get",
      path: "/state/{how}",
      params: z.object({ how: z.string() }),
      describes: "device",
    }),
    async ({ params }) => {
      await new Promise((resolve) => setImmediate(resolve));
      events++;
      if (params.how === "fails") throw new ScanError("busy", "motor rotor is busy");
      return events;
    },
  ),
  route(
    defineEndpoint({
      operationId: "tasks",
      method: "get",
      path: "/tasks/{how}",
      params: z.object({ how: z.string() }),
      describes: "tasks",
    }),
    ({ params }) => {
      const task = { id: "t1", revision: 3 };
      return params.how === "all" ? [task, task] : task;
    },
  ),
  route(
    defineEndpoint({ operationId: "new", method: "get", path: "/only-next", versions: ["next"] }),
    () => "next",
  ),
];

/** What was published in all streams so far. */
let events = 0;
const log = recordingLogger();
let server: Server;
let origin = "";
beforeEach(async () => {
  seen.length = 0;
  log.lines.splice(0);
  const health = () => ({ status: "ok" as const, version: "1", uptime_seconds: 1 });
  server = createServer(
    createApplication(routes, {
      log,
      senders: new Senders({ log, allowHosts: [], allowOrigins: [], ownNames: new Set() }),
      access: new Access({ clock: systemClock, log }),
      redact: (text) => text,
      health,
      documents: (_req, _res, next) => next(),
      ready: Promise.resolve(),
      publicDir: "/nonexistent",
      checkResponses: true,
      position: (namespace) => ({ epoch: `epoch of ${namespace}`, seq: events }),
    }),
  );
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((done) => server.close(done)));

async function ask(method: string, path: string, init: RequestInit = {}) {
  const reply = await fetch(origin + path, { method, ...init });
  const text = await reply.text();
  return {
    status: reply.status,
    headers: reply.headers,
    body: text === "" ? null : (JSON.parse(text) as unknown),
  };
}

test.each(["/v0.8", "/v0.9", "/latest", "/next", "/api/v0.9", "/v0.9/", "/api/next/"])(
  "%s answers itself, without a redirect",
  async (path) => {
    expect(await ask("GET", path, { redirect: "error" })).toMatchObject({ status: 200, body: "root" });
  },
);

test("versions and health lie at the root, and below /api", async () => {
  expect((await ask("GET", "/versions")).body).toEqual({ versions: ["0.8", "0.9"], latest: "v0.9" });
  expect((await ask("GET", "/api/versions")).body).toEqual({ versions: ["0.8", "0.9"], latest: "v0.9" });
  expect(await ask("GET", "/health")).toMatchObject({ status: 200, body: { status: "ok" } });
});

test("a version has only its own routes", async () => {
  expect((await ask("GET", "/next/only-next")).body).toBe("next");
  expect(await ask("GET", "/v0.9/only-next")).toMatchObject({ status: 404, body: { detail: "Not Found" } });
});

test("unknown paths and wrong methods answer in JSON", async () => {
  expect(await ask("GET", "/v0.9/nothing")).toMatchObject({ status: 404, body: { detail: "Not Found" } });
  expect(await ask("GET", "/nothing")).toMatchObject({ status: 404, body: { detail: "Not Found" } });
  const wrong = await ask("POST", "/v0.9/light");
  expect(wrong).toMatchObject({ status: 405, body: { detail: "Method Not Allowed" } });
  expect(wrong.headers.get("Allow")).toBe("PATCH");
});

test("names are decoded once; numbers, booleans and lists arrive typed", async () => {
  const reply = await ask(
    "PUT",
    "/v0.9/things/Openscan.eu%20Ring%2520light/value?degrees=-7.5&on=yes&tags=a",
    {
      body: JSON.stringify({ step: "5", inner: { deep: "1.5" } }),
    },
  );
  expect(reply).toMatchObject({ status: 200, body: { ok: true } });
  expect(seen).toEqual([
    {
      params: { name: "Openscan.eu Ring%20light" },
      query: { degrees: -7.5, on: true, tags: ["a"] },
      body: { step: 5, inner: { deep: 1.5 } },
    },
  ]);
});

test("every wrong value is reported with its place", async () => {
  const reply = await ask("PUT", "/v0.9/things/x/value?degrees=400&on=maybe", {
    body: JSON.stringify({ inner: {}, step: 1.5 }),
  });
  expect(reply.status).toBe(422);
  expect(reply.body).toEqual({
    detail: [
      {
        type: "less_than_equal",
        loc: ["query", "degrees"],
        msg: expect.any(String) as string,
        input: "400",
        ctx: { le: 360 },
      },
      { type: "boolean_type", loc: ["query", "on"], msg: expect.any(String) as string, input: "maybe" },
      { type: "int_type", loc: ["body", "step"], msg: expect.any(String) as string, input: 1.5 },
      { type: "missing", loc: ["body", "inner", "deep"], msg: "Field required", input: null },
    ],
  });
  expect(seen).toEqual([]);
  expect((await ask("PUT", "/v0.9/things/x/value")).body).toMatchObject({
    detail: [{ type: "missing", loc: ["query", "degrees"] }],
  });
});

test("requests without a body need no content type, and a body nobody asked for is ignored", async () => {
  expect(await ask("PATCH", "/v0.9/light")).toMatchObject({ status: 200, body: { body: "none" } });
  expect(
    await ask("PATCH", "/v0.9/light", {
      headers: { "Content-Length": "0", "Content-Type": "application/json" },
    }),
  ).toMatchObject({ status: 200 });
  expect(await ask("PATCH", "/v0.9/light", { body: '{"x":1}' })).toMatchObject({
    status: 200,
    body: { body: "none" },
  });
  expect(await ask("PATCH", "/v0.9/light", { body: '{"x":' })).toMatchObject({ status: 200 });
  expect(await ask("DELETE", "/v0.9/gone")).toMatchObject({ status: 204, body: null });
});

test("broken JSON, a wrong encoding, a huge body and a bad escape are the client's fault", async () => {
  expect(await ask("PUT", "/v0.9/things/x/value?degrees=1", { body: '{"step": }' })).toMatchObject({
    status: 422,
    body: { detail: [{ type: "json_invalid", loc: ["body", expect.any(Number)] }] },
  });
  expect(
    await ask("PUT", "/v0.9/things/x/value?degrees=1", {
      body: JSON.stringify({ pad: "x".repeat(1_100_000) }),
    }),
  ).toMatchObject({ status: 413 });
  expect(await ask("PUT", "/v0.9/things/%E0%A4%A/value?degrees=1")).toMatchObject({ status: 400 });
});

test("known failures keep their status and text, unknown ones tell nothing and are logged", async () => {
  expect(await ask("GET", "/v0.9/fails/known")).toMatchObject({
    status: 409,
    body: { detail: "motor rotor is busy" },
  });
  expect(await ask("GET", "/v0.9/fails/object")).toMatchObject({
    status: 404,
    body: { detail: { message: "none", available: [] } },
  });
  expect(log.lines).toEqual([]);
  expect(await ask("GET", "/v0.9/fails/unknown")).toMatchObject({
    status: 500,
    body: { detail: "Internal Server Error" },
  });
  expect(log.lines).toMatchObject([
    { level: "error", fields: { err: { message: "secret detail" }, url: "/v0.9/fails/unknown" } },
  ]);
});

test("a reply that does not fit its schema fails in tests", async () => {
  expect((await ask("GET", "/v0.9/wrong")).status).toBe(500);
  expect(log.lines[0]?.fields["err"]).toMatchObject({
    message: expect.stringContaining("the reply of wrong does not fit") as string,
  });
});

test("a reply says where its stream stood before its state was read, an error reply too", async () => {
  for (const how of ["works", "fails"]) {
    const before = events;
    const { headers } = await ask("GET", `/v0.9/state/${how}`, { headers: { Origin: "http://ui.local" } });
    expect(events).toBe(before + 1);
    expect(headers.get("OpenScan-Epoch")).toBe("epoch of device");
    expect(headers.get("OpenScan-Seq")).toBe(String(before));
    expect(headers.get("Access-Control-Expose-Headers")).toBe("OpenScan-Epoch, OpenScan-Seq");
  }
  const { headers } = await ask("GET", "/v0.9/");
  expect([headers.has("OpenScan-Epoch"), headers.has("OpenScan-Seq")]).toEqual([false, false]);
});

test.each(["/v0.8", "/v0.9", "/latest", "/api/latest"])("tasks of %s have no revision", async (mount) => {
  expect((await ask("GET", `${mount}/tasks/one`)).body).toEqual({ id: "t1" });
  expect((await ask("GET", `${mount}/tasks/all`)).body).toEqual([{ id: "t1" }, { id: "t1" }]);
  expect((await ask("GET", "/next/tasks/one")).body).toEqual({ id: "t1", revision: 3 });
  expect((await ask("GET", "/next/tasks/all")).body).toEqual([
    { id: "t1", revision: 3 },
    { id: "t1", revision: 3 },
  ]);
});

test("a page of our network may call, errors included, and a preflight is answered at once", async () => {
  const headers = { Origin: "http://ui.local" };
  const simple = await ask("GET", "/v0.9/fails/known", { headers });
  expect(simple.headers.get("Access-Control-Allow-Origin")).toBe("*");
  expect(simple.headers.get("Access-Control-Allow-Credentials")).toBe("true");
  const cookie = await ask("GET", "/versions", { headers: { ...headers, Cookie: "a=b" } });
  expect(cookie.headers.get("Access-Control-Allow-Origin")).toBe("http://ui.local");
  const preflight = await ask("OPTIONS", "/v0.9/light", {
    headers: {
      ...headers,
      "Access-Control-Request-Method": "PATCH",
      "Access-Control-Request-Headers": "x-mine",
    },
  });
  expect(preflight.status).toBe(200);
  expect(preflight.headers.get("Access-Control-Allow-Origin")).toBe("http://ui.local");
  expect(preflight.headers.get("Access-Control-Allow-Headers")).toBe("x-mine");
  expect(preflight.headers.get("Access-Control-Max-Age")).toBe("600");
});
