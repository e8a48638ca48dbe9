import { settle } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { fakeScanner } from "../test/support/fake-scanner.js";
import { completed, device, running, task } from "../test/support/fixtures.js";
import {
  delta,
  deviceSnapshot,
  hello,
  status,
  tasksSnapshot,
  told,
  update,
} from "../test/support/messages.js";

const statuses = (seen: { readonly events: readonly { freshness: { status: string } }[] }) =>
  seen.events.map(({ freshness }) => freshness.status);

test("freshness: offline, resyncing, live; stale after a loss, offline when the attempt fails", async () => {
  const { client, accept, views, sockets, clock } = fakeScanner();
  const seen = views(client.tasks);
  accept();
  sockets.last.receive(hello(4), tasksSnapshot(4, task("a")));
  await clock.advance(3000);
  sockets.last.drop();
  expect(client.tasks.get()).toEqual({ state: [task("a")], freshness: { status: "stale", ageMs: 3000 } });
  await clock.advance(500);
  expect(client.tasks.get().freshness.status).toBe("stale");
  sockets.last.drop();
  expect(client.tasks.get()).toEqual({ state: [task("a")], freshness: { status: "offline" } });
  await clock.advance(1000);
  expect(client.tasks.get().freshness.status).toBe("offline");
  accept(hello(4, true));
  expect(client.tasks.get().freshness.status).toBe("live");
  expect(statuses(seen)).toEqual(["offline", "resyncing", "live", "stale", "offline", "resyncing", "live"]);
});

test("a first attempt that fails leaves it offline, without ever having been stale", async () => {
  const { client, views, sockets } = fakeScanner();
  const seen = views(client.tasks);
  sockets.last.accept();
  sockets.last.drop();
  expect(statuses(seen)).toEqual(["offline", "resyncing", "offline"]);
});

test("stale says how old the state is: after 1.25 heartbeats of silence, again every second", async () => {
  const { client, accept, views, sockets, clock } = fakeScanner();
  const seen = views(client.tasks);
  accept(hello(4), tasksSnapshot(4));
  await clock.advance(37_499);
  expect(client.tasks.get().freshness).toEqual({ status: "live" });
  await clock.advance(1);
  expect(client.tasks.get().freshness).toEqual({ status: "stale", ageMs: 37_500 });
  await clock.advance(2500);
  expect(client.tasks.get().freshness).toEqual({ status: "stale", ageMs: 39_500 });
  sockets.last.receive({ type: "ping", last: 4 });
  expect(client.tasks.get().freshness).toEqual({ status: "live" });
  await clock.advance(20_000);
  expect(statuses(seen)).toEqual(["offline", "resyncing", "live", "stale", "stale", "stale", "live"]);
});

test("the server's heartbeat counts: silent for 2.5 of them is dead", async () => {
  const { client, accept, sockets, clock, tasks } = fakeScanner();
  tasks();
  accept({ ...hello(4), heartbeat_ms: 4000 }, tasksSnapshot(4));
  await clock.advance(5000);
  expect(client.tasks.get().freshness).toEqual({ status: "stale", ageMs: 5000 });
  await clock.advance(4999);
  expect(sockets.last.terminated).toBe(false);
  await clock.advance(1);
  expect(sockets.last.terminated).toBe(true);
  expect(client.tasks.get().freshness).toEqual({ status: "stale", ageMs: 10_000 });
});

test("an age is told only while somebody subscribes, and at once to one who comes", async () => {
  const { client, accept, sockets, clock } = fakeScanner({ lingerMs: 60_000 });
  const stop = client.tasks.subscribe(() => {});
  accept(hello(4), tasksSnapshot(4));
  await clock.advance(37_500);
  stop();
  await clock.advance(5000);
  expect(client.tasks.get().freshness).toEqual({ status: "stale", ageMs: 37_500 });
  client.tasks.subscribe(() => {});
  expect(client.tasks.get().freshness).toEqual({ status: "stale", ageMs: 42_500 });
  await clock.advance(1000);
  expect(client.tasks.get().freshness).toEqual({ status: "stale", ageMs: 43_500 });
  expect(sockets.made).toHaveLength(1);
});

test("a view is the same object until something changes, and every change is told once", () => {
  const { client, accept, sockets } = fakeScanner();
  let changes = 0;
  client.tasks.subscribe(() => changes++);
  accept();
  sockets.last.receive(hello(4));
  const resyncing = client.tasks.get();
  expect([changes, resyncing.freshness.status]).toEqual([1, "resyncing"]);
  sockets.last.receive(tasksSnapshot(4, task("a")));
  const live = client.tasks.get();
  expect(changes).toBe(2);
  sockets.last.receive(told(5, { type: "photo.captured" }), { type: "ping", last: 5 });
  expect(client.tasks.get()).toBe(live);
  expect(changes).toBe(2);
  sockets.last.receive(told(6, update(task("b"))));
  expect(client.tasks.get()).not.toBe(live);
  expect([changes, live.state]).toEqual([3, [task("a")]]);
});

test("a listener sees the state that its event made", () => {
  const { client, accept } = fakeScanner();
  const seen: unknown[] = [];
  client.tasks.on("resync", () => void seen.push(client.tasks.get()));
  client.tasks.on("task.update", () => void seen.push(client.tasks.get()));
  accept(hello(4), tasksSnapshot(4), told(5, update(task("a"))));
  const freshness = { status: "live" };
  expect(seen).toEqual([
    { state: [], freshness },
    { state: [task("a")], freshness },
  ]);
});

test("nothing is opened before the first subscriber, and one connection serves all", async () => {
  const { client, accept, sockets, tasks } = fakeScanner();
  client.tasks.get();
  await settle();
  expect(sockets.made).toHaveLength(0);
  const [first, second] = [tasks(), tasks()];
  client.tasks.subscribe(() => {});
  const loop = client.tasks.events();
  accept(hello(4), tasksSnapshot(4));
  expect(first.events).toEqual(second.events);
  expect((await loop.next()).value).toEqual(first.events[0]);
  expect(sockets.made).toHaveLength(1);
});

test("a loop that begins late starts with the state as it is by then, and misses nothing after it", async () => {
  const { client, accept, sockets, tasks, clock } = fakeScanner();
  tasks();
  accept(hello(4), tasksSnapshot(4), told(5, update(running("a", 1))));
  sockets.last.drop();
  const late = client.tasks.events();
  await clock.advance(500);
  accept(hello(6, true), told(6, update(running("a", 2))));
  expect((await late.next()).value).toEqual({ type: "resync", state: [running("a", 1)], lost: false });
  expect((await late.next()).value).toMatchObject({ task: running("a", 2) });
  client.close();
});

test("the connection outlives its last subscriber by two seconds; the state stays known", async () => {
  const { client, accept, sockets, clock } = fakeScanner();
  const stop = client.tasks.subscribe(() => {});
  accept(hello(4), tasksSnapshot(4, task("a")));
  stop();
  stop();
  await clock.advance(1999);
  const again = client.tasks.subscribe(() => {});
  await clock.advance(10_000);
  expect(sockets.last.closed).toBeUndefined();
  again();
  await clock.advance(2000);
  expect(sockets.last.closed).toBe(1000);
  expect(client.tasks.get()).toEqual({ state: [task("a")], freshness: { status: "offline" } });
  expect(clock.pending).toBe(0);
});

test("closing does not wait for the two seconds", async () => {
  const { client, accept, sockets, clock } = fakeScanner();
  const stop = client.tasks.subscribe(() => {});
  accept(hello(4), tasksSnapshot(4));
  stop();
  client.close();
  expect([sockets.last.closed, clock.pending]).toEqual([1000, 0]);
});

test("who subscribes after that starts afresh: nobody was there to lose anything", async () => {
  const { client, accept, sockets, clock, tasks } = fakeScanner();
  client.tasks.subscribe(() => {})();
  accept(hello(4), tasksSnapshot(4));
  await clock.advance(2000);
  const seen = tasks();
  expect(sockets.last.url).toBe("ws://scanner:8000/latest/ws/tasks?v=1");
  accept(hello(9), tasksSnapshot(9));
  expect(seen.events).toEqual([{ type: "resync", state: [], lost: false }]);
});

test("leaving while a connection is being made or awaited leaves nothing behind", async () => {
  const { client, sockets, clock } = fakeScanner();
  client.tasks.subscribe(() => {})();
  await clock.advance(2000);
  expect(sockets.last.closed).toBe(1000);
  sockets.last.drop();
  const stop = client.tasks.subscribe(() => {});
  sockets.last.drop();
  stop();
  await clock.advance(60_000);
  expect([clock.pending, sockets.made.length, sockets.last.closed]).toEqual([0, 3, 1000]);
  expect(client.tasks.get().freshness).toEqual({ status: "offline" });
});

test("a listener that throws or rejects reaches onError and stops nobody", async () => {
  const { client, accept, errors, tasks } = fakeScanner();
  client.tasks.on("resync", () => {
    throw new Error("thrown");
  });
  client.tasks.on("resync", () => Promise.reject(new Error("rejected")));
  client.tasks.subscribe(() => {
    throw new Error("watcher");
  });
  const seen = tasks();
  accept(hello(4), tasksSnapshot(4), told(5, update(task("a"))));
  await settle();
  expect(seen.events).toHaveLength(2);
  expect(errors.map(String).toSorted()).toEqual([
    "Error: rejected",
    "Error: thrown",
    ...Array(3).fill("Error: watcher"),
  ]);
  expect(client.tasks.get().freshness).toEqual({ status: "live" });
});

test("an onError that throws breaks nothing", async () => {
  const thrown: unknown[] = [];
  const listener = (error: unknown) => thrown.push(error);
  process.once("uncaughtException", listener);
  const { accept, tasks } = fakeScanner({
    onError: () => {
      throw new Error("handler");
    },
  });
  const seen = tasks();
  accept(hello(4), { type: "error", message: "told" }, tasksSnapshot(4));
  await settle();
  process.removeListener("uncaughtException", listener);
  expect(thrown.map(String)).toEqual(["Error: handler"]);
  expect(seen.events).toHaveLength(1);
});

test("leaving during a delivery takes effect in it, by undo and by signal; joining does in the next", async () => {
  const { client, accept, sockets } = fakeScanner();
  const heard: string[] = [];
  const abort = new AbortController();
  client.tasks.on("resync", () => {
    undo();
    abort.abort();
    client.tasks.on("resync", () => void heard.push("joined"));
  });
  const undo = client.tasks.on("resync", () => void heard.push("undone"));
  client.tasks.on("resync", () => void heard.push("aborted"), { signal: abort.signal });
  client.tasks.on("resync", () => void heard.push("never"), { signal: AbortSignal.abort() });
  client.tasks.on("resync", () => void heard.push("stays"));
  accept(hello(4), tasksSnapshot(4));
  expect(heard).toEqual(["stays"]);
  sockets.last.receive(tasksSnapshot(5));
  expect(heard).toEqual(["stays", "stays", "joined"]);
});

test("closing from within a listener ends everything at once", async () => {
  const { client, accept, sockets, clock } = fakeScanner();
  const heard: string[] = [];
  client.tasks.on("task.update", ({ task }) => {
    heard.push(task.id);
    client.close();
  });
  accept(hello(4), tasksSnapshot(4), told(5, update(task("a"))), told(6, update(task("b"))));
  expect(heard).toEqual(["a"]);
  expect(sockets.last.closed).toBe(1000);
  expect(client.tasks.get()).toEqual({ state: [task("a")], freshness: { status: "offline" } });
  await clock.advance(60_000);
  expect([clock.pending, sockets.made.length]).toEqual([0, 1]);
});

test("breaking out of the only loop closes the connection", async () => {
  const { client, accept, sockets, clock } = fakeScanner();
  const loop = (async () => {
    for await (const event of client.device) return event.type;
    return "ended";
  })();
  accept(hello(4), deviceSnapshot(4, device("one")));
  expect(await loop).toBe("resync");
  await clock.advance(2000);
  expect(sockets.last.closed).toBe(1000);
  expect(clock.pending).toBe(0);
});

test("a loop ends quietly by its signal and by close(); a closed store says so to loops and onError", async () => {
  const { client, accept, clock, errors } = fakeScanner();
  const abort = new AbortController();
  const read = async (signal?: AbortSignal) => {
    const types: string[] = [];
    for await (const { type } of client.tasks.events(signal ? { signal } : {})) types.push(type);
    return types;
  };
  const loops = [read(abort.signal), read(AbortSignal.abort()), read()] as const;
  accept(hello(4), tasksSnapshot(4));
  await settle();
  abort.abort();
  expect(await loops[0]).toEqual(["resync"]);
  expect(await loops[1]).toEqual([]);
  client.close();
  expect(await loops[2]).toEqual(["resync"]);
  await expect(read()).rejects.toThrow("was closed");
  client.tasks.subscribe(() => {})();
  await settle();
  expect(errors.map(String)).toEqual(Array(2).fill(expect.stringContaining("was closed")));
  expect(clock.pending).toBe(0);
});

test.each([4401, 4403, 4406])("%i ends the store for good: loops throw", async (code) => {
  const { client, accept, sockets, clock, errors, views } = fakeScanner();
  const seen = views(client.tasks);
  const loop = (async () => {
    for await (const event of client.tasks) if (event.type !== "resync") break;
  })();
  const outcome = expect(loop).rejects.toMatchObject({ name: "ConnectionError", closeCode: code });
  accept(hello(4), tasksSnapshot(4));
  sockets.last.drop(code, "no");
  await outcome;
  expect(client.tasks.get().freshness).toEqual({ status: "offline" });
  expect(statuses(seen).at(-1)).toBe("offline");
  expect(errors).toMatchObject([{ closeCode: code, final: true }]);
  await expect(client.tasks.events().next()).rejects.toThrow(`closed with ${code} no`);
  await clock.advance(60_000);
  expect([clock.pending, sockets.made.length]).toEqual([0, 1]);
});

test("a slow loop misses no fact, no status of a task, and gets the latest device", async () => {
  const { client, accept, sockets } = fakeScanner();
  const tasks = client.tasks.events();
  accept(hello(0), tasksSnapshot(0));
  const [taskSocket] = sockets.made;
  const devices = client.device.events();
  accept(hello(0), deviceSnapshot(0, device("d")));
  for (let n = 1; n <= 1000; n++) {
    taskSocket?.receive(
      told(n, n % 100 === 0 ? { type: "photo.captured", file: n } : update(running("a", n))),
    );
    sockets.last.receive(told(n, delta({ "/name": `d${n}` }, [], [`motors.m${n % 3}.angle`])));
  }
  taskSocket?.receive(told(1001, update(completed("a"))));
  client.close();

  const seen = [];
  for await (const event of tasks) seen.push(event);
  expect(seen.length).toBeLessThanOrEqual(257);
  expect(seen.flatMap((event) => ("file" in event ? [event.file] : []))).toEqual(
    Array.from({ length: 10 }, (_, n) => (n + 1) * 100),
  );
  expect(seen.at(-1)).toMatchObject({ task: { status: "completed" } });
  expect(seen.at(-2)).toMatchObject({ file: 1000 });
  expect(seen.at(-3)).toMatchObject({ task: { progress: { current: 999 } } });
  const states = [];
  for await (const event of devices) if (event.type === "device.status") states.push(event);
  expect(states.length).toBeLessThanOrEqual(257);
  expect(states[0]?.changed).toEqual(expect.arrayContaining([0, 1, 2].map((m) => `motors.m${m}.angle`)));
  expect(states.at(-1)).toMatchObject({ device: { name: "d1000" } });
});

test("a loop that is behind by too many facts throws instead of losing one", async () => {
  const { client, accept, sockets } = fakeScanner();
  const loop = client.tasks.events();
  accept(hello(0), tasksSnapshot(0));
  for (let n = 1; n <= 300; n++) sockets.last.receive(told(n, update(task(`t${n}`))));
  const seen: string[] = [];
  await expect(
    (async () => {
      for await (const event of loop) seen.push(event.type);
    })(),
  ).rejects.toThrow("fell behind by more than 256 events");
  expect(seen).toEqual(["resync", ...Array(256).fill("task.update")]);
  expect(client.tasks.get().state).toHaveLength(300);
});

test("a status that names nothing as changed stays that way when it is merged", async () => {
  const { client, accept, sockets } = fakeScanner();
  const loop = client.device.events();
  accept(hello(0), deviceSnapshot(0, device("d")));
  for (let n = 1; n <= 300; n++)
    sockets.last.receive(told(n, status(device(`d${n}`), n === 7 ? null : ["a"])));
  client.close();
  const seen = [];
  for await (const event of loop) seen.push(event);
  expect(seen[1]).toMatchObject({ type: "device.status", changed: null });
});
