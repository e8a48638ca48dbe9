import { settle } from "@openscan/runtime/testing";
import { afterEach, expect, test, vi } from "vitest";
import { fakeScanner } from "../test/support/fake-scanner.js";
import { hello, tasksSnapshot } from "../test/support/messages.js";

afterEach(() => vi.unstubAllGlobals());

test("delays grow up to 20 s, for ever, and are short again only after 30 s of stability", async () => {
  const { accept, sockets, tasks, clock } = fakeScanner();
  tasks();
  for (const delay of [500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000, 20_000]) {
    const before = sockets.made.length;
    sockets.last.drop();
    await clock.advance(delay - 1);
    expect(sockets.made).toHaveLength(before);
    await clock.advance(1);
    expect(sockets.made).toHaveLength(before + 1);
  }
  accept(hello(4), tasksSnapshot(4));
  await clock.advance(29_999);
  sockets.last.drop();
  const before = sockets.made.length;
  await clock.advance(19_999);
  expect(sockets.made).toHaveLength(before);
  await clock.advance(1);
  accept(hello(4, true));
  await clock.advance(30_000);
  sockets.last.drop();
  await clock.advance(500);
  expect(sockets.made).toHaveLength(before + 2);
});

test("a server that does not accept within 8 s is given up", async () => {
  const { accept, sockets, tasks, clock, client } = fakeScanner();
  tasks();
  await clock.advance(7999);
  expect(sockets.last.terminated).toBe(false);
  await clock.advance(1);
  expect(sockets.last.terminated).toBe(true);
  expect(client.tasks.get().freshness).toEqual({ status: "offline" });
  await clock.advance(500);
  accept(hello(4), tasksSnapshot(4));
  expect(client.tasks.get().freshness).toEqual({ status: "live" });
});

test("75 s of silence is death; any message counts as life", async () => {
  const { acceptLegacy, sockets, tasks, clock, client } = fakeScanner();
  tasks();
  await acceptLegacy();
  for (const message of ['{"type":"ping"}', "garbage", '{"type":"unknown"}']) {
    await clock.advance(74_999);
    sockets.last.receive(message);
  }
  await clock.advance(74_999);
  sockets.last.receiveBinary();
  expect(client.tasks.get().freshness).toEqual({ status: "live" });
  await clock.advance(74_999);
  expect(sockets.last.terminated).toBe(false);
  await clock.advance(1);
  expect(sockets.last.terminated).toBe(true);
  await clock.advance(500);
  expect(sockets.made).toHaveLength(2);
});

test("a system clock that is set back does not postpone the end of a dead connection", async () => {
  const { tasks, clock, accept, sockets } = fakeScanner();
  const now = vi.spyOn(clock, "now");
  tasks();
  accept(hello(4), tasksSnapshot(4));
  const late = clock.now();
  now.mockImplementation(() => late - 3_600_000);
  await clock.advance(37_500);
  expect(sockets.last.terminated).toBe(false);
  now.mockImplementation(() => late - 3_600_000 + 75_000);
  await clock.advance(37_500);
  expect(sockets.last.terminated).toBe(true);
  now.mockRestore();
});

test("retry_after_ms is kept, and 4009 reconnects at once, once per live moment", async () => {
  const { accept, sockets, tasks, clock } = fakeScanner({ random: () => 0.5 });
  tasks();
  accept(hello(4), tasksSnapshot(4));
  sockets.last.drop(1012, '{"retry_after_ms":3000}');
  await clock.advance(3249);
  expect(sockets.made).toHaveLength(1);
  await clock.advance(1);
  accept(hello(4, true));
  sockets.last.drop(4009, "resync");
  await clock.advance(0);
  expect(sockets.made).toHaveLength(3);
  accept(hello(4));
  sockets.last.drop(4009, "resync");
  await clock.advance(0);
  expect(sockets.made).toHaveLength(3);
});

test("a URL that the runtime refuses ends the store with an error", async () => {
  const { client, errors } = fakeScanner({
    WebSocket: function refuse() {
      throw new DOMException("insecure", "SecurityError");
    } as never,
  });
  client.tasks.subscribe(() => {});
  await settle();
  expect(errors.map(String)).toEqual(["ConnectionError: cannot connect: SecurityError: insecure"]);
  await expect(client.tasks.events().next()).rejects.toThrow("insecure");
});

test("a token is asked for before every attempt, and goes into a subprotocol, never into the URL", async () => {
  const tokens = ["erster/~ö", "second", undefined];
  const { accept, sockets, tasks, clock, client } = fakeScanner({ token: () => tokens.shift() });
  tasks();
  await settle();
  accept(hello(4), tasksSnapshot(4));
  sockets.last.drop();
  await clock.advance(500);
  await settle();
  sockets.last.drop();
  await clock.advance(1000);
  await settle();
  expect(sockets.made.map(({ protocols }) => protocols)).toEqual([
    ["openscan.v1", `openscan.bearer.${Buffer.from("erster/~ö").toString("base64url")}`],
    ["openscan.v1", "openscan.bearer.c2Vjb25k"],
    undefined,
  ]);
  for (const { url } of sockets.made) expect(url).not.toMatch(/erster|second|bearer/);
  client.close();
});

test("a token that fails to come is reported and asked for again", async () => {
  let failures = 1;
  const { accept, sockets, tasks, clock, client, errors } = fakeScanner({
    async token() {
      if (failures-- > 0) throw new Error("locked");
      return "t";
    },
  });
  tasks();
  await settle();
  expect(errors.map(String)).toEqual(["ConnectionError: cannot connect: Error: locked"]);
  await clock.advance(500);
  await settle();
  accept(hello(4), tasksSnapshot(4));
  expect(client.tasks.get().freshness).toEqual({ status: "live" });
  expect(sockets.made).toHaveLength(1);
});

test("a token that never comes is given up after 8 s, for connections and requests; a late one opens nothing", async () => {
  const answers: ((token: string) => void)[] = [];
  const { accept, sockets, tasks, clock, client, errors } = fakeScanner({
    token: () => new Promise((resolve) => answers.push(resolve)),
  });
  tasks();
  const request = client.request("GET /tasks/").catch((error: unknown) => error);
  await clock.advance(7999);
  expect(errors).toEqual([]);
  await clock.advance(1);
  expect(errors.map(String)).toEqual(["ConnectionError: cannot connect: Error: no token"]);
  expect(await request).toMatchObject({ status: 0, detail: "Error: no token" });
  await clock.advance(500);
  for (const answer of answers.splice(0, 2)) answer("late");
  await settle();
  expect(sockets.made).toHaveLength(0);
  answers[0]?.("t");
  await settle();
  accept(hello(4), tasksSnapshot(4));
  expect(client.tasks.get().freshness).toEqual({ status: "live" });
});

test("who leaves while the token is awaited opens nothing", async () => {
  const { client, sockets, clock } = fakeScanner({ token: async () => "t", lingerMs: 0 });
  client.tasks.subscribe(() => {})();
  client.close();
  await settle();
  await clock.advance(60_000);
  expect([sockets.made.length, clock.pending]).toEqual([0, 0]);
});

test("a page that wakes up finds out at once, without waiting for a timer", async () => {
  const window = new EventTarget();
  vi.stubGlobal("window", window);
  const { accept, sockets, tasks, clock, client } = fakeScanner();
  tasks();
  accept(hello(4), tasksSnapshot(4));
  window.dispatchEvent(new Event("online"));
  expect(client.tasks.get().freshness).toEqual({ status: "live" });
  const slept = vi.spyOn(clock, "now").mockReturnValue(clock.now() + 40_000);
  window.dispatchEvent(new Event("offline"));
  expect(client.tasks.get().freshness).toEqual({ status: "stale", ageMs: 40_000 });
  slept.mockReturnValue(clock.now() + 35_000);
  window.dispatchEvent(new Event("visibilitychange"));
  expect(sockets.made[0]?.terminated).toBe(true);
  window.dispatchEvent(new Event("offline"));
  expect(sockets.made).toHaveLength(1);
  window.dispatchEvent(new Event("pageshow"));
  window.dispatchEvent(new Event("online"));
  expect(sockets.made).toHaveLength(2);
  slept.mockRestore();
  client.close();
  expect(clock.pending).toBe(0);
});

test("what watches the page ends with what it was for", async () => {
  const window = new EventTarget();
  vi.stubGlobal("window", window);
  const added = vi.spyOn(window, "addEventListener");
  const { client, accept, sockets, tasks, clock } = fakeScanner();
  tasks();
  accept(hello(4), tasksSnapshot(4));
  sockets.last.drop();
  await clock.advance(500);
  client.close();
  const signals = added.mock.calls.map(([, , options]) => (options as AddEventListenerOptions).signal);
  expect(signals).toHaveLength(3 * 4);
  expect(signals.filter((signal) => !signal?.aborted)).toEqual([]);
});

test("closing because of a loss tries nothing more", async () => {
  const { client, accept, sockets, clock } = fakeScanner();
  client.tasks.subscribe(() => {
    if (client.tasks.get().freshness.status === "stale") client.close();
  });
  accept(hello(4), tasksSnapshot(4));
  sockets.last.drop();
  await clock.advance(60_000);
  expect([clock.pending, sockets.made.length]).toEqual([0, 1]);
});
