import { FakeClock, settle } from "@openscan/runtime/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ScannerServer } from "../test/support/scanner-server.js";
import { RequestError } from "./request-error.js";
import { type Fetch, Rest } from "./rest.js";

const realFetch: Fetch = (url, init) => fetch(url, init);
let server: ScannerServer;
let clock: FakeClock;
let rest: Rest;

beforeEach(async () => {
  server = await ScannerServer.start();
  clock = new FakeClock();
  rest = new Rest(`${server.url}/latest`, realFetch, clock);
});
afterEach(() => server.kill());

test("a reply is parsed, and no timer stays behind", async () => {
  server.answer = () => ({ status: 200, body: '[{"id":"a"}]' });
  expect(await rest.request("GET", "/tasks/")).toEqual([{ id: "a" }]);
  expect(clock.pending).toBe(0);
});

test("an empty reply is undefined, and text stays text", async () => {
  server.answer = () => ({ status: 200, body: "" });
  expect(await rest.request("GET", "/x")).toBeUndefined();
  server.answer = () => ({ status: 200, body: "a line" });
  expect(await rest.request("GET", "/x")).toBe("a line");
});

test("a body is JSON, and a request without one has none", async () => {
  server.answer = () => ({ status: 200, body: "null" });
  await rest.request("POST", "/a", { body: { points: 5 }, query: { b: "ä&", c: undefined, d: true } });
  await rest.request("PATCH", "/b");
  expect(server.seen.events).toEqual(['POST /latest/a?b=%C3%A4%26&d=true {"points":5}', "PATCH /latest/b"]);
});

test("an error reply carries status, detail and body", async () => {
  const body = { detail: [{ loc: ["body", "points"], msg: "too many" }] };
  server.answer = () => ({ status: 422, body: JSON.stringify(body) });
  const error = await rest.request("GET", "/x").catch((cause: unknown) => cause);
  expect(error).toBeInstanceOf(RequestError);
  expect(error).toMatchObject({ status: 422, detail: "body.points: too many", body });
  expect((error as Error).message).toBe(`GET ${server.url}/latest/x: HTTP 422: body.points: too many`);
});

test("a server that does not answer is given up after the time-out", async () => {
  let release = () => {};
  server.answer = () => new Promise((resolve) => (release = () => resolve(undefined)));
  const request = rest.request("GET", "/tasks/", { timeoutMs: 2000 });
  const outcome = expect(request).rejects.toMatchObject({ status: 0, detail: "no answer within 2000 ms" });
  await server.seen.count(1);
  await clock.advance(2000);
  await outcome;
  release();
});

test("the time-out also covers a reply whose body never ends", async () => {
  const stalled: Fetch = async (_url, { signal }) =>
    new Response(
      new ReadableStream({
        start(stream) {
          signal?.addEventListener("abort", () => stream.error(signal.reason));
        },
      }),
    );
  const request = new Rest("http://x", stalled, clock).request("GET", "/tasks/");
  const outcome = expect(request).rejects.toMatchObject({ status: 0, detail: "no answer within 10000 ms" });
  await settle();
  await clock.advance(10_000);
  await outcome;
});

test("an unreachable server is an error with status 0", async () => {
  await server.kill();
  await expect(rest.request("GET", "/tasks/")).rejects.toMatchObject({ name: "RequestError", status: 0 });
});

test("the caller's abort wins, before and during a request", async () => {
  const abort = new AbortController();
  server.answer = () => new Promise(() => {});
  const request = rest.request("GET", "/tasks/", { signal: abort.signal });
  await server.seen.count(1);
  abort.abort(new Error("enough"));
  await expect(request).rejects.toThrow("enough");
  await expect(rest.request("GET", "/tasks/", { signal: abort.signal })).rejects.toThrow("enough");
  expect(server.seen.events).toHaveLength(1);
  expect(clock.pending).toBe(0);
});

test("the token of the moment goes into the header, and one that fails to come is an error", async () => {
  const sent: unknown[] = [];
  const tokens = ["one", undefined];
  const asked = new Rest(
    "http://x",
    async (_url, { headers }) => {
      sent.push(headers);
      return Response.json(null);
    },
    clock,
    async () => tokens.shift(),
  );
  await asked.request("GET", "/a");
  await asked.request("POST", "/a", { body: 1 });
  expect(sent).toEqual([{ authorization: "Bearer one" }, { "content-type": "application/json" }]);
  const locked = new Rest("http://x", realFetch, clock, async () => {
    throw new Error("locked");
  });
  await expect(locked.request("GET", "/a")).rejects.toMatchObject({ status: 0, detail: "Error: locked" });
});
