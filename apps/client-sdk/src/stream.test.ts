import { settle } from "@openscan/runtime/testing";
import { namespaces } from "@openscan/protocol";
import { expect, test, vi } from "vitest";
import { fakeScanner } from "../test/support/fake-scanner.js";
import { completed, device, running, task } from "../test/support/fixtures.js";
import { Recorder } from "../test/support/recorder.js";
import { createScannerClient, type StreamState } from "./index.js";

const update = (changed: object) => ({ type: "task.update", task: changed });
const status = (name: string, changed: string[] | null) => ({
  type: "device.status",
  device: device(name),
  changed,
});

/** A reply that a test releases when it wants to. */
function held() {
  let release: (response: Response) => void = () => {};
  const reply = new Promise<Response>((resolve) => {
    release = resolve;
  });
  return { reply, release: (body: unknown) => release(Response.json(body)) };
}

test("the whole state comes first, then every event in order", async () => {
  const { accept, rest, sockets, recordTasks } = fakeScanner();
  rest.tasks = [task("a")];
  const recorder = recordTasks();
  await accept();
  sockets.last.receive(update(running("a", 1)));
  sockets.last.receive(update(running("a", 2)));
  await recorder.count(3);
  expect(recorder.events).toEqual([
    { type: "resync", tasks: [task("a")] },
    update(running("a", 1)),
    update(running("a", 2)),
  ]);
  expect(sockets.last.url).toBe("ws://scanner:8000/latest/ws/tasks");
  expect(rest.requests).toEqual(["http://scanner:8000/latest/tasks/"]);
});

test("nothing is opened before the first subscriber, and one connection serves all", async () => {
  const { client, accept, sockets, rest } = fakeScanner();
  await settle();
  expect(sockets.made).toHaveLength(0);
  const first = new Recorder(client.tasks);
  const second = new Recorder(client.tasks);
  await accept();
  sockets.last.receive(update(task("a")));
  await second.count(2);
  expect(first.events).toEqual(second.events);
  expect(sockets.made).toHaveLength(1);
  expect(rest.requests).toHaveLength(1);
});

test("a late subscriber gets the state as it is by then, never before subscribe() returns", async () => {
  const { client, accept, sockets, recordTasks } = fakeScanner();
  await (async () => {
    recordTasks();
    await accept();
  })();
  sockets.last.receive(update(running("a", 1)));
  await settle();
  const late = new Recorder(client.tasks);
  expect(late.events).toEqual([]);
  await late.count(1);
  expect(late.events).toEqual([{ type: "resync", tasks: [running("a", 1)] }]);
  sockets.last.receive(update(running("a", 2)));
  await late.count(2);
  expect(client.tasks.snapshot).toEqual({ type: "resync", tasks: [running("a", 2)] });
});

test("a subscriber that comes while the connection is away waits for the new state", async () => {
  const { client, accept, sockets, recordTasks, clock, rest } = fakeScanner();
  recordTasks();
  await accept();
  sockets.last.drop();
  await settle();
  const late = new Recorder(client.tasks);
  await settle();
  expect(late.events).toEqual([]);
  rest.tasks = [completed("a")];
  await clock.advance(500);
  await accept();
  expect(late.events).toEqual([{ type: "resync", tasks: [completed("a")] }]);
});

test("events that arrive before the REST answer come after it, whichever was computed first", async () => {
  const { accept, rest, sockets, recordTasks } = fakeScanner();
  const { reply, release } = held();
  rest.answer = () => reply;
  const recorder = recordTasks();
  await accept();
  sockets.last.receive(update(running("a", 4)));
  sockets.last.receive(update(running("b", 1)));
  await settle();
  expect(recorder.events).toEqual([]);
  release([running("a", 3)]);
  await recorder.count(3);
  expect(recorder.events).toEqual([
    { type: "resync", tasks: [running("a", 3)] },
    update(running("a", 4)),
    update(running("b", 1)),
  ]);
});

test("an event that the REST answer has certainly overtaken is left out", async () => {
  const { accept, rest, sockets, recordTasks } = fakeScanner();
  const { reply, release } = held();
  rest.answer = () => reply;
  const recorder = recordTasks();
  await accept();
  sockets.last.receive(update(running("a", 9)));
  sockets.last.receive(update(completed("a")));
  release([completed("a")]);
  await recorder.count(2);
  expect(recorder.events).toEqual([{ type: "resync", tasks: [completed("a")] }, update(completed("a"))]);
});

test("while the snapshot is awaited, a flood is merged, keeping every change of status", async () => {
  const { accept, rest, sockets, recordTasks } = fakeScanner();
  const { reply, release } = held();
  rest.answer = () => reply;
  const recorder = recordTasks();
  await accept();
  sockets.last.receive(update(task("a")));
  for (let current = 0; current < 5000; current++) sockets.last.receive(update(running("a", current)));
  release([]);
  await recorder.until((events) => events.length > 1 && JSON.stringify(events.at(-1)).includes("4999"));
  expect(recorder.events.length).toBeLessThan(1100);
  expect(recorder.events.slice(0, 2)).toEqual([{ type: "resync", tasks: [] }, update(task("a"))]);
});

test("a flood that cannot be merged costs the connection, not the memory", async () => {
  const { accept, rest, sockets, recordTasks, clock } = fakeScanner();
  rest.answer = () => held().reply;
  const recorder = recordTasks();
  await accept();
  const flooded = sockets.last;
  for (let n = 0; n < 1100; n++) flooded.receive(update(task(`t${n}`)));
  await settle();
  expect(flooded.closed).toBe(1000);
  rest.answer = () => undefined;
  rest.tasks = [task("t1099")];
  await clock.advance(500);
  await accept();
  expect(recorder.events).toEqual([{ type: "resync", tasks: [task("t1099")] }]);
});

test("a REST failure is reported and repeated with growing delays on the same connection", async () => {
  const { accept, rest, sockets, recordTasks, clock, client, errors } = fakeScanner();
  let failures = 3;
  rest.answer = () => (failures-- > 0 ? Response.json({ detail: "busy" }, { status: 503 }) : undefined);
  const recorder = recordTasks();
  await accept();
  sockets.last.receive(update(running("a", 1)));
  expect(client.tasks.state).toBe("connecting");
  for (const delay of [500, 1000, 2000]) {
    await clock.advance(delay - 1);
    const before = rest.requests.length;
    await clock.advance(1);
    await settle();
    expect(rest.requests.length).toBe(before + 1);
  }
  await recorder.count(2);
  expect(recorder.events).toEqual([{ type: "resync", tasks: [] }, update(running("a", 1))]);
  expect(client.tasks.state).toBe("live");
  expect(sockets.made).toHaveLength(1);
  expect(errors).toHaveLength(3);
  expect(errors[0]).toMatchObject({ name: "RequestError", status: 503, detail: "busy" });
});

test("a connection lost during the REST request is made again, and the request is dropped", async () => {
  const { accept, rest, sockets, recordTasks, clock, errors } = fakeScanner();
  const { reply, release } = held();
  rest.answer = () => reply;
  const recorder = recordTasks();
  await accept();
  sockets.last.receive(update(running("a", 1)));
  sockets.last.drop();
  release([task("old")]);
  await settle();
  rest.answer = () => undefined;
  await clock.advance(500);
  await accept();
  expect(recorder.events).toEqual([{ type: "resync", tasks: [] }]);
  expect(errors).toEqual([]);
});

test("an answer that comes after the connection was lost is not taken for the present state", async () => {
  const { reply, release } = held();
  const { accept, sockets, recordTasks } = fakeScanner({ fetch: () => reply });
  const recorder = recordTasks();
  await accept();
  sockets.last.drop();
  release([task("old")]);
  await settle();
  await settle();
  expect(recorder.events).toEqual([]);
});

test("who leaves at once hears nothing", async () => {
  const { accept, recordTasks } = fakeScanner();
  const [left, stays] = [recordTasks(), recordTasks()];
  left.stop();
  await accept();
  expect([left.events.length, stays.events.length]).toEqual([0, 1]);
});

test("an unconfigured device is a state: the stream lives, and goes on once there is a device", async () => {
  const { accept, rest, sockets, recordDevice, client, clock, errors } = fakeScanner();
  rest.device = null;
  const recorder = recordDevice();
  await accept();
  expect(client.device.state).toBe("live");
  expect(recorder.events).toEqual([{ type: "resync", device: null }]);
  await clock.advance(29_000);
  expect(rest.requests).toHaveLength(1);
  sockets.last.receive(status("mini", null));
  await recorder.count(2);
  expect(client.device.snapshot).toEqual({ type: "resync", device: device("mini") });
  expect(errors).toEqual([]);
});

test("delays grow up to 20 s, for ever, and are short again only after 30 s of stability", async () => {
  const { accept, sockets, recordTasks, clock } = fakeScanner();
  recordTasks();
  await settle();
  for (const delay of [500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000, 20_000]) {
    const before = sockets.made.length;
    sockets.last.drop();
    await clock.advance(delay - 1);
    expect(sockets.made).toHaveLength(before);
    await clock.advance(1);
    expect(sockets.made).toHaveLength(before + 1);
  }
  await accept();
  await clock.advance(29_999);
  sockets.last.drop();
  const before = sockets.made.length;
  await clock.advance(19_999);
  expect(sockets.made).toHaveLength(before);
  await clock.advance(1);
  await accept();
  await clock.advance(30_000);
  sockets.last.drop();
  await clock.advance(500);
  expect(sockets.made).toHaveLength(before + 2);
});

test("a server that does not accept within 8 s is given up", async () => {
  const { accept, sockets, recordTasks, clock, client } = fakeScanner();
  recordTasks();
  await clock.advance(7999);
  expect(sockets.last.terminated).toBe(false);
  await clock.advance(1);
  expect(sockets.last.terminated).toBe(true);
  expect(client.tasks.state).toBe("offline");
  await clock.advance(500);
  await accept();
  expect(client.tasks.state).toBe("live");
});

test("75 s of silence is death; any message counts as life", async () => {
  const { accept, sockets, recordTasks, clock, client } = fakeScanner();
  recordTasks();
  await accept();
  for (const message of ['{"type":"ping"}', "garbage", '{"type":"unknown"}']) {
    await clock.advance(74_999);
    sockets.last.receive(message);
  }
  await clock.advance(74_999);
  sockets.last.receiveBinary();
  await clock.advance(74_999);
  expect(client.tasks.state).toBe("live");
  await clock.advance(1);
  expect(client.tasks.state).toBe("offline");
  expect(sockets.last).toMatchObject({ terminated: true });
  await clock.advance(500);
  expect(sockets.made).toHaveLength(2);
});

test("a system clock that is set back does not postpone the end of a dead connection", async () => {
  const { recordTasks, clock, client, accept } = fakeScanner({});
  const now = vi.spyOn(clock, "now");
  recordTasks();
  await accept();
  const late = clock.now();
  now.mockImplementation(() => late - 3_600_000);
  await clock.advance(75_000);
  expect(client.tasks.state).toBe("live");
  now.mockImplementation(() => late - 3_600_000 + 75_000);
  // The first look was taken 8 s after the start, when the time to open had passed.
  await clock.advance(8000);
  expect(client.tasks.state).toBe("offline");
  now.mockRestore();
});

test("a ping is answered", async () => {
  const { accept, sockets, recordTasks } = fakeScanner();
  const recorder = recordTasks();
  await accept();
  sockets.last.receive('{"type":"ping"}');
  expect(sockets.last.sent).toEqual(['{"type":"pong"}']);
  await settle();
  expect(recorder.events).toHaveLength(1);
});

test("a page that wakes up finds out at once, without waiting for a timer", async () => {
  const [window, document] = [new EventTarget(), new EventTarget()];
  vi.stubGlobal("window", window);
  vi.stubGlobal("document", document);
  try {
    const { accept, sockets, recordTasks, clock, client } = fakeScanner();
    const [added, removed] = [vi.spyOn(window, "addEventListener"), vi.spyOn(window, "removeEventListener")];
    recordTasks();
    await accept();
    window.dispatchEvent(new Event("online"));
    expect(client.tasks.state).toBe("live");
    const slept = vi.spyOn(clock, "now").mockReturnValue(clock.now() + 75_000);
    document.dispatchEvent(new Event("visibilitychange"));
    await settle();
    expect(sockets.made[0]?.terminated).toBe(true);
    expect(client.tasks.state).toBe("offline");
    window.dispatchEvent(new Event("pageshow"));
    await settle();
    expect(sockets.made).toHaveLength(2);
    slept.mockRestore();
    client.close();
    expect(removed).toHaveBeenCalledTimes(added.mock.calls.length);
  } finally {
    vi.unstubAllGlobals();
  }
});

test("retry_after_ms is kept, and 4009 reconnects at once", async () => {
  const { accept, sockets, recordTasks, clock } = fakeScanner({ random: () => 0.5 });
  recordTasks();
  await accept();
  sockets.last.drop(1012, '{"retry_after_ms":3000}');
  await clock.advance(3249);
  expect(sockets.made).toHaveLength(1);
  await clock.advance(1);
  expect(sockets.made).toHaveLength(2);
  await accept();
  sockets.last.drop(4009, "resync");
  await clock.advance(0);
  expect(sockets.made).toHaveLength(3);
  sockets.last.accept();
  sockets.last.drop(4009, "resync");
  await clock.advance(0);
  expect(sockets.made).toHaveLength(3);
});

test.each([4401, 4403, 4406])("%i ends the stream: loops throw, later subscribers too", async (code) => {
  const { client, accept, sockets, clock, errors } = fakeScanner();
  const loop = (async () => {
    for await (const event of client.tasks) if (event.type !== "resync") break;
  })();
  const outcome = expect(loop).rejects.toMatchObject({ name: "ConnectionError", closeCode: code });
  await accept();
  sockets.last.drop(code);
  await outcome;
  expect(client.tasks.state).toBe("closed");
  expect(() => client.tasks.subscribe(() => {})).toThrow(`closed with ${code}`);
  expect(errors).toMatchObject([{ closeCode: code }]);
  await clock.advance(60_000);
  expect(sockets.made).toHaveLength(1);
  expect(clock.pending).toBe(0);
});

test("a URL that the runtime refuses ends the stream with an error", async () => {
  const { client, errors } = fakeScanner({
    WebSocket: function refuse() {
      throw new DOMException("insecure", "SecurityError");
    } as never,
  });
  client.tasks.subscribe(() => {});
  await settle();
  expect(client.tasks.state).toBe("closed");
  expect(String(errors[0])).toContain("ws://scanner:8000/latest/ws/tasks cannot be opened");
});

test("the connection outlives its last subscriber by two seconds", async () => {
  const { client, accept, sockets, clock } = fakeScanner();
  const stop = client.tasks.subscribe(() => {});
  await accept();
  stop();
  stop();
  await clock.advance(1999);
  const again = new Recorder(client.tasks);
  await again.count(1);
  await clock.advance(10_000);
  expect(sockets.last.closed).toBeUndefined();
  expect(client.tasks.state).toBe("live");
  again.stop();
  await clock.advance(2000);
  expect(sockets.last.closed).toBe(1000);
  expect(client.tasks.state).toBe("offline");
  expect(clock.pending).toBe(0);
  client.tasks.subscribe(() => {});
  await accept();
  expect(sockets.made).toHaveLength(2);
  expect(client.tasks.state).toBe("live");
});

test("leaving while a connection is being made or awaited leaves nothing behind", async () => {
  const { client, sockets, clock, recordTasks } = fakeScanner();
  recordTasks().stop();
  await clock.advance(2000);
  expect(sockets.last.closed).toBe(1000);
  sockets.last.drop();
  const stop = client.tasks.subscribe(() => {});
  await settle();
  sockets.last.drop();
  await settle();
  stop();
  await clock.advance(60_000);
  expect(clock.pending).toBe(0);
  expect(client.tasks.state).toBe("offline");
});

test("states are told in order, to the client's option and to listeners", async () => {
  const told: string[] = [];
  const { client, accept, sockets, clock } = fakeScanner({
    onState: (state, namespace) => told.push(`${namespace} ${state}`),
  });
  const states: StreamState[] = [];
  const undo = client.tasks.onState((state) => void states.push(state));
  client.tasks.subscribe(() => {});
  await accept();
  sockets.last.drop();
  await clock.advance(500);
  undo();
  client.close();
  expect(states).toEqual(["connecting", "live", "offline", "connecting"]);
  expect(told).toEqual([...states.map((state) => `tasks ${state}`), "tasks closed", "device closed"]);
});

test("on() gives one type of event", async () => {
  const { client, accept, sockets } = fakeScanner();
  const ids: string[] = [];
  const sizes: number[] = [];
  client.tasks.on("task.update", (event) => void ids.push(event.task.id));
  client.tasks.on("resync", ({ tasks }) => void sizes.push(tasks.length));
  await accept();
  sockets.last.receive(update(task("a")));
  await settle();
  expect([ids, sizes]).toEqual([["a"], [0]]);
});

test("an invalid message is a notice, and the stream goes on", async () => {
  const { accept, sockets, recordTasks, client } = fakeScanner({
    validate: { tasks: namespaces.tasks.event, device: namespaces.device.event },
  });
  const recorder = recordTasks();
  await accept();
  sockets.last.receive("{");
  sockets.last.receive(update({ id: "a", status: "flying" }));
  sockets.last.receive(update(running("a", 1)));
  await recorder.count(4);
  expect(recorder.events).toMatchObject([
    { type: "resync" },
    { type: "invalid", message: "{" },
    { type: "invalid", message: { task: { status: "flying" } } },
    { type: "task.update" },
  ]);
  expect(client.tasks.state).toBe("live");
});

test("a listener that throws reaches onError and stops nobody; one that subscribes gets the state", async () => {
  const { client, accept, errors } = fakeScanner();
  const inner: string[] = [];
  client.tasks.on("resync", () => {
    client.tasks.subscribe((event) => void inner.push(event.type));
    throw new Error("listener");
  });
  const recorder = new Recorder(client.tasks);
  await accept();
  expect(recorder.events).toHaveLength(1);
  expect(inner).toEqual(["resync"]);
  expect(errors.map(String)).toEqual(["Error: listener"]);
});

test("unsubscribing during a delivery takes effect in it, by undo and by signal", async () => {
  const { client, accept } = fakeScanner();
  const heard: string[] = [];
  const abort = new AbortController();
  client.tasks.subscribe(() => {
    undo();
    abort.abort();
  });
  const undo = client.tasks.subscribe(() => void heard.push("undone"));
  client.tasks.subscribe(() => void heard.push("aborted"), { signal: abort.signal });
  client.tasks.subscribe(() => void heard.push("never"), { signal: AbortSignal.abort() });
  client.tasks.subscribe(() => void heard.push("stays"));
  await accept();
  expect(heard).toEqual(["stays"]);
});

test("breaking out of the only loop closes the connection", async () => {
  const { client, accept, sockets, clock } = fakeScanner();
  const loop = (async () => {
    for await (const event of client.device) return event.type;
    return "ended";
  })();
  await accept();
  expect(await loop).toBe("resync");
  await clock.advance(2000);
  expect(sockets.last.closed).toBe(1000);
  expect(clock.pending).toBe(0);
});

test("a loop ends quietly by its signal and by close()", async () => {
  const { client, accept, clock } = fakeScanner();
  const abort = new AbortController();
  const read = async (signal?: AbortSignal) => {
    const types: string[] = [];
    for await (const { type } of client.tasks.events(signal ? { signal } : {})) types.push(type);
    return types;
  };
  const loops = [read(abort.signal), read(AbortSignal.abort()), read()] as const;
  await accept();
  abort.abort();
  expect(await loops[0]).toEqual(["resync"]);
  expect(await loops[1]).toEqual([]);
  client.close();
  expect(await loops[2]).toEqual(["resync"]);
  expect(() => client.tasks.events()).toThrow("was closed");
  expect(clock.pending).toBe(0);
});

test("a slow loop misses no status change of a task and gets the latest device", async () => {
  const { client, accept, sockets } = fakeScanner();
  const tasks = client.tasks.events();
  await accept();
  const [taskSocket] = sockets.made;
  const devices = client.device.events();
  await accept();
  for (let current = 0; current < 1000; current++) {
    taskSocket?.receive(update(running("a", current)));
    sockets.last.receive(status(`d${current}`, [`motors.m${current % 3}.angle`]));
    if (current % 100 === 99) await settle();
  }
  taskSocket?.receive(update(completed("a")));
  await settle();
  client.close();

  const seen = [];
  for await (const event of tasks) if (event.type === "task.update") seen.push(event.task);
  expect(seen.length).toBeLessThanOrEqual(256);
  expect(seen.filter(({ status }) => status === "running").at(-1)?.progress.current).toBe(999);
  expect(seen.at(-1)?.status).toBe("completed");
  const statuses = [];
  for await (const event of devices) statuses.push(event);
  expect(statuses.length).toBeLessThanOrEqual(256);
  expect(statuses[0]).toMatchObject({ type: "device.status", changed: null });
  expect(statuses.at(-1)).toMatchObject({ device: { name: "d999" } });
});

test("a loop that misses too many changes of status throws instead of losing one", async () => {
  const { client, accept, sockets } = fakeScanner();
  const loop = client.tasks.events();
  await accept();
  for (let n = 0; n < 300; n++) sockets.last.receive(update(task(`t${n}`)));
  await settle();
  const seen: string[] = [];
  await expect(
    (async () => {
      for await (const event of loop) if (event.type === "task.update") seen.push(event.task.id);
    })(),
  ).rejects.toThrow("fell behind");
  expect(seen).toEqual(Array.from({ length: 256 }, (_, n) => `t${n}`));
});

test("after close() nothing is delivered any more, not even what has arrived", async () => {
  const { client, accept, sockets, recordTasks } = fakeScanner();
  const recorder = recordTasks();
  await accept();
  sockets.last.receive(update(task("a")));
  client.close();
  client.close();
  await settle();
  expect(recorder.events).toHaveLength(1);
  expect(sockets.last.closed).toBe(1000);
});

test.each([
  ["http://h:8000", undefined, "ws://h:8000/latest/ws/tasks"],
  ["https://h/api/", "v0.9", "wss://h/api/v0.9/ws/tasks"],
  ["http://h/api?x=1#y", "next", "ws://h/api/next/ws/tasks"],
])("%s with version %s is %s", async (url, version, expected) => {
  const { client, sockets } = fakeScanner({ url, ...(version && { version }) });
  client.tasks.subscribe(() => {});
  await settle();
  expect(sockets.last.url).toBe(expected);
  client.close();
});

test.each(["ws://h", "h:8000", "", "ftp://h"])("the URL %s is refused", (url) => {
  expect(() => createScannerClient({ url })).toThrow(TypeError);
});
