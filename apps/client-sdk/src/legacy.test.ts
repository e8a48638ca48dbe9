import { settle } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { fakeScanner } from "../test/support/fake-scanner.js";
import { completed, device, running, task } from "../test/support/fixtures.js";
import { hello, status, tasksSnapshot, told, update } from "../test/support/messages.js";

const resync = (state: unknown, lost = false) => ({ type: "resync", state, lost });

/** A reply that a test releases when it wants to. */
function held() {
  let release: (response: Response) => void = () => {};
  const reply = new Promise<Response>((resolve) => {
    release = resolve;
  });
  return { reply, release: (body: unknown) => release(Response.json(body)) };
}

test("a first message that is no hello: the state comes by REST, then every event in order", async () => {
  const { client, acceptLegacy, rest, sockets, tasks } = fakeScanner();
  rest.tasks = [task("a")];
  const seen = tasks();
  await acceptLegacy();
  sockets.last.receive(update(running("a", 1)), update(running("a", 2)));
  expect(seen.events).toEqual([resync([task("a")]), update(running("a", 1)), update(running("a", 2))]);
  expect(client.tasks.get()).toEqual({ state: [running("a", 2)], freshness: { status: "live" } });
  expect(rest.requests).toEqual(["http://scanner:8000/latest/tasks/"]);
  expect(sockets.last.sent).toEqual(['{"type":"pong"}']);
});

test("a server that says nothing for 1.5 s after the handshake is a legacy one", async () => {
  const { client, rest, sockets, tasks, clock } = fakeScanner();
  tasks();
  sockets.last.accept();
  await clock.advance(1499);
  expect(rest.requests).toEqual([]);
  expect(client.tasks.get().freshness).toEqual({ status: "resyncing" });
  await clock.advance(1);
  await settle();
  expect(client.tasks.get()).toEqual({ state: [], freshness: { status: "live" } });
});

test("that it is one is remembered by both stores, until a hello", async () => {
  const { client, acceptLegacy, rest, sockets, tasks, clock } = fakeScanner();
  tasks();
  await acceptLegacy();
  client.device.subscribe(() => {});
  sockets.last.accept();
  await settle();
  expect(rest.requests).toHaveLength(2);
  const [taskSocket] = sockets.made;
  taskSocket?.drop();
  await clock.advance(500);
  sockets.last.accept();
  sockets.last.receive(hello(4), tasksSnapshot(4, task("v1")));
  expect(client.tasks.get()).toEqual({ state: [task("v1")], freshness: { status: "live" } });
  await settle();
  expect(client.tasks.get().state).toEqual([task("v1")]);
  sockets.last.drop();
  await clock.advance(1000);
  sockets.last.accept();
  const before = rest.requests.length;
  await clock.advance(1000);
  expect(rest.requests).toHaveLength(before);
});

test("a hello that comes late still makes it v1, and what REST said is not resumed from", async () => {
  const { client, accept, rest, sockets, tasks, clock } = fakeScanner();
  const seen = tasks();
  rest.tasks = [task("rest")];
  accept();
  await clock.advance(1500);
  await settle();
  expect(client.tasks.get().freshness).toEqual({ status: "live" });
  sockets.last.receive(hello(4));
  expect(client.tasks.get()).toMatchObject({ state: [{ id: "rest" }], freshness: { status: "resyncing" } });
  sockets.last.receive(tasksSnapshot(4, task("v1")));
  expect(client.tasks.get()).toEqual({ state: [task("v1")], freshness: { status: "live" } });
  expect(seen.events).toEqual([resync([task("rest")]), resync([task("v1")], true)]);
});

test("a server known to speak v1 may be slow: the stream goes on where it was", async () => {
  const { client, accept, rest, sockets, tasks, clock } = fakeScanner();
  const seen = tasks();
  accept(hello(4), tasksSnapshot(4));
  sockets.last.drop();
  await clock.advance(500);
  accept();
  await clock.advance(10_000);
  expect(client.tasks.get().freshness).toEqual({ status: "resyncing" });
  sockets.last.receive(hello(5, true), told(5, { type: "photo.captured" }));
  expect(client.tasks.get().freshness).toEqual({ status: "live" });
  expect(seen.events.map(({ type }) => type)).toEqual(["resync", "photo.captured"]);
  expect(rest.requests).toEqual([]);
});

test("one that was replaced by an older version is legacy from its first message on", async () => {
  const { accept, acceptLegacy, sockets, tasks, clock } = fakeScanner();
  const seen = tasks();
  accept(hello(4), tasksSnapshot(4));
  sockets.last.drop();
  await clock.advance(500);
  await acceptLegacy();
  sockets.last.receive(update(task("a")));
  expect(seen.events).toEqual([resync([]), resync([], true), update(task("a"))]);
  sockets.last.drop();
  await clock.advance(1000);
  expect(sockets.last.url).not.toContain("since");
});

test("a v1 event without a hello is no legacy event", async () => {
  const { accept, tasks, clock, sockets, errors } = fakeScanner();
  const seen = tasks();
  accept();
  await clock.advance(1500);
  await settle();
  sockets.last.receive(told(5, update(task("a"))));
  await settle();
  expect(errors).toMatchObject([{ gap: true }]);
  expect(seen.events).toHaveLength(1);
});

test("events that arrive before the REST answer come after it, whichever was computed first", async () => {
  const { acceptLegacy, rest, sockets, tasks, client } = fakeScanner();
  const { reply, release } = held();
  rest.answer = () => reply;
  const seen = tasks();
  await acceptLegacy();
  sockets.last.receive(update(running("a", 4)), update(running("b", 1)));
  await settle();
  expect(seen.events).toEqual([]);
  expect(client.tasks.get().freshness).toEqual({ status: "resyncing" });
  release([running("a", 3)]);
  await settle();
  expect(seen.events).toEqual([resync([running("a", 3)]), update(running("a", 4)), update(running("b", 1))]);
});

test("an event that the REST answer has certainly overtaken is left out", async () => {
  const { acceptLegacy, rest, sockets, tasks } = fakeScanner();
  const { reply, release } = held();
  rest.answer = () => reply;
  const seen = tasks();
  await acceptLegacy();
  sockets.last.receive(update(running("a", 9)), update(completed("a")));
  release([completed("a")]);
  await settle();
  expect(seen.events).toEqual([resync([completed("a")]), update(completed("a"))]);
});

test("while the answer is awaited a flood is merged, keeping every change of status", async () => {
  const { acceptLegacy, rest, sockets, tasks } = fakeScanner();
  const { reply, release } = held();
  rest.answer = () => reply;
  const seen = tasks();
  await acceptLegacy();
  sockets.last.receive(update(task("a")));
  for (let current = 0; current < 5000; current++) sockets.last.receive(update(running("a", current)));
  release([]);
  await settle();
  expect(seen.events.length).toBeLessThan(1100);
  expect(seen.events.slice(0, 2)).toEqual([resync([]), update(task("a"))]);
  expect(seen.events.at(-1)).toEqual(update(running("a", 4999)));
});

test("a flood that cannot be merged costs the connection, not the memory", async () => {
  const { acceptLegacy, rest, sockets, tasks, clock } = fakeScanner();
  rest.answer = () => held().reply;
  const seen = tasks();
  await acceptLegacy();
  const flooded = sockets.last;
  for (let n = 0; n < 1100; n++) flooded.receive(update(task(`t${n}`)));
  expect(flooded.closed).toBe(1000);
  rest.answer = () => undefined;
  rest.tasks = [task("t1099")];
  await clock.advance(500);
  await acceptLegacy();
  expect(seen.events).toEqual([resync([task("t1099")])]);
});

test("a REST failure is reported and repeated with growing delays on the same connection", async () => {
  const { acceptLegacy, rest, sockets, tasks, clock, client, errors } = fakeScanner();
  let failures = 3;
  rest.answer = () => (failures-- > 0 ? Response.json({ detail: "busy" }, { status: 503 }) : undefined);
  const seen = tasks();
  await acceptLegacy();
  sockets.last.receive(update(running("a", 1)));
  for (const delay of [500, 1000, 2000]) {
    await clock.advance(delay - 1);
    const before = rest.requests.length;
    await clock.advance(1);
    await settle();
    expect(rest.requests.length).toBe(before + 1);
  }
  expect(seen.events).toEqual([resync([]), update(running("a", 1))]);
  expect(client.tasks.get().freshness).toEqual({ status: "live" });
  expect(sockets.made).toHaveLength(1);
  expect(errors).toHaveLength(3);
  expect(errors[0]).toMatchObject({ name: "RequestError", status: 503, detail: "busy" });
});

test("a connection lost during the request drops its answer; the next one resyncs, and that is a loss", async () => {
  const { acceptLegacy, rest, sockets, tasks, clock, errors } = fakeScanner();
  const seen = tasks();
  await acceptLegacy();
  sockets.last.drop();
  await clock.advance(500);
  const { reply, release } = held();
  rest.answer = () => reply;
  await acceptLegacy();
  sockets.last.drop();
  release([task("old")]);
  await settle();
  rest.answer = () => undefined;
  await clock.advance(1000);
  await acceptLegacy();
  expect(seen.events).toEqual([resync([]), resync([], true)]);
  expect(errors).toEqual([]);
});

test("an unconfigured device is a state: the store lives, and goes on once there is a device", async () => {
  const { acceptLegacy, rest, sockets, device: devices, client, errors } = fakeScanner();
  rest.device = null;
  const seen = devices();
  await acceptLegacy();
  expect(client.device.get()).toEqual({ state: null, freshness: { status: "live" } });
  sockets.last.receive(status(device("mini"), null));
  expect(client.device.get().state).toEqual(device("mini"));
  expect(seen.events).toEqual([resync(null), status(device("mini"), null)]);
  expect(errors).toEqual([]);
});

test("types that the dialect does not have are ignored, garbage is reported", async () => {
  const { acceptLegacy, sockets, tasks, errors } = fakeScanner();
  const seen = tasks();
  await acceptLegacy();
  sockets.last.receive({ type: "task.flying" }, "{", { type: "task.update", task: {} }, update(task("a")));
  await settle();
  expect(seen.events).toEqual([resync([]), update(task("a"))]);
  expect(errors).toHaveLength(2);
});
