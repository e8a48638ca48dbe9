import { namespaces, type NamespaceName, Ping, type Task } from "@openscan/protocol";
import { expect, test } from "vitest";
import { type Api, became, type Listener, type Message } from "./support/api.js";
import { startServer } from "./support/in-process.js";
import { rawHandshake, sendRaw } from "./support/raw-http.js";
import { SkippingClock } from "./support/skipping-clock.js";
import { Transcript } from "./support/transcript.js";

// What existing clients see must never change. Look at each difference twice before you run `vitest -u`.

const mounts = ["/latest", "", "/v0.8", "/v0.9", "/next", "/api", "/api/v0.9"];
const ring = "/latest/lights/Openscan.eu%20Ringlight";
const camera = "camera_name=simulated_camera";

/** Everything that a legacy client has ever written, and what it never should; none of it may have an effect. */
const chatter = [
  '{"type":"pong"}',
  '{"type":"ping"}',
  "garbage",
  "",
  "{",
  "null",
  '["subscribe"]',
  "x".repeat(60_000),
];

/** A legacy client at each mount, one of which writes what v1 clients write into their query, but not `v=1`. */
async function legacyClients(api: Api, namespace: NamespaceName): Promise<Listener[]> {
  const clients = await Promise.all(mounts.map((mount) => api.listen(namespace, mount)));
  return [...clients, await api.listen(namespace, "/latest", "?since=0&epoch=x&types=none&delta=1&token=1")];
}

/** Changes of the device, one after another: each request is answered before the next. */
async function useDevice(api: Api): Promise<void> {
  for (const verb of ["turn_off", "turn_on", "toggle", "toggle"]) await api.call("PATCH", `${ring}/${verb}`);
  await api.call("PATCH", "/latest/motors/rotor/settings", { max_speed: 7000 });
  await api.call("PATCH", "/latest/motors/rotor/settings", { max_speed: -1 });
  await api.call("PATCH", "/latest/cameras/simulated_camera/settings", { gain: 2 });
  await api.call("PUT", "/latest/motors/turntable/angle?degrees=100");
  await api.call("PUT", "/latest/motors/turntable/angle-override?angle=90");
  await api.bytes("/latest/cameras/simulated_camera/preview?mode=snapshot");
  await api.bytes("/latest/cameras/simulated_camera/photo");
  await api.call("POST", "/next/triggers/external%20camera/trigger");
}

/** A whole scan, and the removal of its task. */
async function scan(api: Api, tasks: Listener): Promise<void> {
  const { id } = await api.startScan("vase", { points: 3 });
  await tasks.find(became(id, "completed"));
  await api.call("DELETE", `/latest/tasks/${id}/cleanup`);
}

/**
 * A scan that is paused, resumed and cancelled at a moment that is always the same: while it waits before its first
 * photo. Another one is cancelled while it waits for the first.
 */
async function cancelScans(api: Api, tasks: Listener, device: Listener): Promise<void> {
  const { body } = await api.call<Task>("POST", `/latest/projects/vase/scan?${camera}`, {
    points: 2,
    pause_before_capture_ms: 600_000,
  });
  // Both motors have begun and ended a move, after the one of `useDevice` and the four of the scan before.
  const busyOrNot = ({ changed }: Message) => /^motors\..*\.busy$/.test(String(changed));
  await device.count(2 + 4 * 4 + 4, busyOrNot);
  await api.startScan("vase", { points: 2 });
  await api.call("PATCH", "/latest/projects/vase/scans/3/cancel");
  await api.call("POST", `/latest/tasks/${body.id}/pause`);
  await api.call("POST", `/latest/tasks/${body.id}/resume`);
  await api.call("PATCH", "/latest/projects/vase/scans/2/cancel");
  await tasks.find(
    (message) => became(body.id, "cancelled")(message) && (message["task"] as Task).completed_at !== null,
  );
}

test("a legacy session is told word for word what it always was", { timeout: 120_000 }, async () => {
  const clock = new SkippingClock();
  const { api } = await startServer(undefined, { clock });
  const tasks = await legacyClients(api, "tasks");
  const device = await legacyClients(api, "device");
  const v1 = {
    tasks: await api.listen("tasks", "/next", "?v=1"),
    device: await api.listen("device", "/next", "?v=1&delta=1"),
  };
  for (const { socket } of [...tasks.slice(1), ...device.slice(1)])
    for (const text of chatter) socket.send(text);

  await useDevice(api);
  await scan(api, tasks[0]!);
  await cancelScans(api, tasks[0]!, device[0]!);
  clock.skip(31_000);
  for (const client of [...tasks, ...device]) await client.find(({ type }) => type === "ping");

  for (const [name, clients] of Object.entries({ tasks, device })) {
    const frames = clients[0]!.frames;
    for (const other of clients) {
      expect(other.frames).toEqual(frames);
      expect(other.socket.readyState).toBe(other.socket.OPEN);
    }
    const { legacyEvent } = namespaces[name as NamespaceName];
    for (const message of clients[0]!.messages) {
      // A schema leaves out what it does not know.
      const schema = message.type === "ping" ? Ping.pick({ type: true }) : legacyEvent;
      expect(schema.parse(message)).toEqual(message);
    }
    await expect(new Transcript().lines(clients[0]!.messages)).toMatchFileSnapshot(`golden/${name}.jsonl`);
  }
  // There was more to hear beside them.
  const facts = v1.tasks.messages.map(({ type }) => type);
  for (const type of ["hello", "tasks.snapshot", "photo.captured", "task.deleted", "ping"])
    expect(facts).toContain(type);
  expect(v1.device.messages.map(({ type }) => type)).toContain("device.delta");
});

test("the handshakes of legacy clients are answered as they always were", async () => {
  const { api } = await startServer();
  const origin = ["Origin", "http://scanner.local"] as const;
  const requests: Record<string, Parameters<typeof rawHandshake>> = {
    script: ["/latest/ws/tasks", []],
    "bare path": ["/ws/device", []],
    browser: ["/v0.9/ws/device", [origin, ["Cookie", "a=b"], ["User-Agent", "x"]]],
    "an extension is not taken": ["/next/ws/tasks", [["Sec-WebSocket-Extensions", "permessage-deflate"]]],
    "a subprotocol that is not ours": ["/latest/ws/tasks", [["Sec-WebSocket-Protocol", "chat"]]],
    "unknown stream": ["/latest/ws/none", [origin]],
    "trailing slash": ["/latest/ws/tasks/", []],
  };
  const answers = await Promise.all(
    Object.entries(requests).map(async ([name, [target, headers]]) => {
      const answer = await sendRaw(api.url, rawHandshake(target, [["Host", "scanner.local"], ...headers]));
      return { name, status: answer.status, headers: Object.fromEntries(answer.headers), body: answer.body };
    }),
  );
  await expect(new Transcript().lines(answers)).toMatchFileSnapshot("golden/handshakes.jsonl");
});
