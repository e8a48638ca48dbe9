import { ScanError, type Task } from "@openscan/protocol";
import { systemClock } from "@openscan/runtime";
import { FakeClock, recordingLogger } from "@openscan/runtime/testing";
import { defineTask, TaskManager } from "@openscan/tasks";
import { MemoryTaskStore } from "@openscan/tasks/testing";
import { expect, onTestFinished, test } from "vitest";
import { installNmcli } from "../../test/support/nmcli.js";
import { qrPicture } from "../../test/support/qr-picture.js";
import { NetworkManager } from "../wifi/network-manager.js";
import { QrReader } from "../wifi/qr-reader.js";
import type { WifiNetwork } from "../wifi/wifi-code.js";
import { type QrScanTaskOptions, qrScanTask } from "./qr-scan-task.js";
import { forgetEarlierQrScans } from "./qr-scans.js";

const code = "WIFI:T:WPA;S:home;P:secret-99;H:true;;";
const otherCode = "WIFI:S:away;P:secret-99;;";
const busy = new ScanError("busy", "camera front is busy");

/** What the camera shows, frame by frame: texts of codes, or an error; after the last frame nothing. */
type Frame = string | ScanError;

function createScan(frames: Frame[], changes: Partial<QrScanTaskOptions> = {}, clock = new FakeClock()) {
  const log = recordingLogger();
  const store = new MemoryTaskStore();
  const joined: WifiNetwork[] = [];
  const done: string[] = [];
  const world = { up: false, failures: 0, left: frames };
  let ids = 0;
  const tasks: TaskManager = new TaskManager({
    types: [
      qrScanTask({
        camera: (name) => {
          if (name !== "front") throw new ScanError("not_found", `camera ${name} does not exist`);
          return {
            preview: async () => {
              const frame = world.left.shift() ?? "";
              if (typeof frame !== "string") throw frame;
              return new TextEncoder().encode(frame);
            },
          };
        },
        network: {
          isUp: async () => {
            done.push(`asked at ${clock.monotonic()}`);
            return world.up;
          },
          join: async (wifi, signal) => {
            signal?.throwIfAborted();
            joined.push(wifi);
            if (joined.length <= world.failures) throw new ScanError("offline", "no such network");
            return "activated";
          },
        },
        openReader: () => ({
          read: async (jpeg) => new TextDecoder().decode(jpeg).split("\n").filter(Boolean),
          close: async () => void done.push("closed"),
        }),
        forgetEarlier: (id) => forgetEarlierQrScans(tasks, id),
        dismissed: async () => void done.push("dismissed"),
        ...changes,
      }),
      defineTask({
        type: "exclusive_task",
        concurrency: "exclusive",
        input: () => undefined,
        run: async () => "done",
      }),
    ],
    store,
    clock,
    log,
    newId: () => `t${++ids}`,
  });
  const told: string[] = [];
  tasks.events.on((event) => {
    if (event.type !== "updated") return;
    const { status, progress } = event.task;
    told.push(progress.message ? `${status}: ${progress.message}` : status);
  });
  onTestFinished(() => tasks.close());
  return { clock, log, store, tasks, world, joined, done, told };
}

const start = ({ tasks }: ReturnType<typeof createScan>) => tasks.create("qr_scan_task", ["front"]);

test("a code that is seen in two of five frames is joined, and the result tells all but the password", async () => {
  const scan = createScan(["", code, "", `other\n${code}`]);
  const { id } = await start(scan);
  const task = await scan.clock.run(scan.tasks.ended(id));
  expect(scan.joined).toEqual([{ ssid: "home", security: "WPA", password: "secret-99", hidden: true }]);
  expect(task).toMatchObject({
    status: "completed",
    result: { ssid: "home", security: "WPA", hidden: true, nmcli_output: "activated" },
  });
  expect(scan.told).toEqual([
    "pending",
    "running",
    "running: Waiting for the camera.",
    "running: Looking for a Wi-Fi QR code.",
    'running: Connecting with "home", attempt 1 of 2.',
    'completed: Connecting with "home", attempt 1 of 2.',
  ]);
  // Three seconds for the camera to settle, half a second from frame to frame.
  expect(scan.clock.monotonic()).toBe(3000 + 3 * 500);
  expect(scan.done).toEqual(["asked at 0", "closed"]);
  expect(JSON.stringify([scan.store.writes, scan.log.lines, scan.told])).not.toContain("secret");
});

test.each<[string, Frame[]]>([
  ["seen once", [code]],
  ["seen twice, too far apart", [code, "", "", "", "", code]],
  ["about something else", ["https://example.org", "https://example.org"]],
])("a code is not joined that is %s", async (_, frames) => {
  const scan = createScan(frames);
  await start(scan);
  await scan.clock.advance(60_000);
  expect(scan.joined).toEqual([]);
  expect(scan.tasks.get("t1")?.status).toBe("running");
});

test("idle, it reports every 30 s only, and ends when the network is up", async () => {
  const scan = createScan([]);
  const { id } = await start(scan);
  await scan.clock.advance(93_500);
  const reports = scan.told.filter((line) => line === "running: Looking for a Wi-Fi QR code.");
  expect(reports).toHaveLength(4);
  scan.world.up = true;
  expect(await scan.clock.run(scan.tasks.ended(id))).toMatchObject({
    status: "completed",
    result: { reason: "The network is up." },
  });
  expect(scan.clock.monotonic()).toBe(98_000);
});

test("a busy camera and a frame that is none are passed over; a camera that gives none for long ends it", async () => {
  const broken = new ScanError("hardware_fault", "camera front: no frame");
  const scan = createScan([code, busy, busy, busy, busy, busy, broken, broken, code]);
  const { id } = await start(scan);
  expect(await scan.clock.run(scan.tasks.ended(id))).toMatchObject({ status: "completed" });
  expect(scan.log.lines.filter(({ message }) => message.startsWith("no preview frame"))).toHaveLength(1);
  scan.world.left = Array.from({ length: 100 }, () => broken);
  const second = await start(scan);
  expect(await scan.clock.run(scan.tasks.ended(second.id))).toMatchObject({
    status: "error",
    error: "camera front: no frame",
  });
});

test("a code that cannot be used is told of once, without its password, and the search goes on", async () => {
  const bad = "WIFI:T:WPA2-EAP;S:office;P:secret-99;;";
  const scan = createScan([bad, bad, bad, bad, code, code]);
  const { id } = await start(scan);
  expect(await scan.clock.run(scan.tasks.ended(id))).toMatchObject({ status: "completed" });
  expect(scan.told.filter((line) => line.includes("user accounts"))).toEqual([
    "running: Wi-Fi networks with user accounts (WPA2-EAP) cannot be joined by QR code.",
  ]);
  expect(JSON.stringify(scan.store.writes)).not.toContain("secret");
});

test("a network that cannot be joined is tried twice; then the task ends in error, two seconds after", async () => {
  const scan = createScan([code, code]);
  scan.world.failures = 2;
  const { id } = await start(scan);
  expect(await scan.clock.run(scan.tasks.ended(id))).toMatchObject({
    status: "error",
    error: "no such network",
  });
  expect(scan.joined).toHaveLength(2);
  expect(scan.clock.monotonic()).toBe(3500 + 2 * 2000);
  scan.world.left = [otherCode, otherCode];
  scan.world.failures = 3;
  const second = await start(scan);
  expect(await scan.clock.run(scan.tasks.ended(second.id))).toMatchObject({ result: { ssid: "away" } });
  expect(scan.joined).toHaveLength(4);
});

test.each(["warms up", "looks", "joins"])(
  "defect 1: while it %s, a scan makes it give way at once",
  async (phase) => {
    const hanging = {
      isUp: async () => false,
      join: (_: unknown, signal?: AbortSignal) => rejectsWith(signal),
    };
    const scan = createScan(
      phase === "joins" ? [code, code] : [],
      phase === "joins" ? { network: hanging } : {},
    );
    await start(scan);
    await scan.clock.advance(phase === "warms up" ? 1000 : 10_000);
    const exclusive = await scan.tasks.create("exclusive_task");
    // No time passes until the scan is done.
    await scan.clock.advance(0);
    expect(await scan.tasks.ended(exclusive.id)).toMatchObject({ status: "completed" });
    expect(scan.tasks.get("t1")).toMatchObject({
      status: "cancelled",
      error: expect.stringContaining("make room") as string,
    });
    expect(scan.done.at(-1)).toBe("closed");
    expect(scan.clock.pending).toBe(0);
  },
);

test("defect 12: a user's cancel is remembered, a shutdown or a scan is not one", async () => {
  const cancelled = createScan([]);
  const { id } = await start(cancelled);
  await cancelled.clock.advance(5000);
  cancelled.tasks.cancel(id);
  expect(await cancelled.tasks.ended(id)).toMatchObject({ status: "cancelled" });
  expect(cancelled.done.slice(-2)).toEqual(["closed", "dismissed"]);
  const stopped = createScan([]);
  await start(stopped);
  await stopped.clock.advance(5000);
  await stopped.clock.run(stopped.tasks.close());
  expect(stopped.done).not.toContain("dismissed");
});

test("a paused one looks at nothing", async () => {
  const scan = createScan([]);
  const { id } = await start(scan);
  await scan.clock.advance(4000);
  scan.tasks.pause(id);
  await scan.clock.advance(1000);
  scan.world.left = [code, code];
  await scan.clock.advance(10_000);
  expect(scan.world.left).toHaveLength(2);
  scan.tasks.resume(id);
  expect(await scan.clock.run(scan.tasks.ended(id))).toMatchObject({ status: "completed" });
});

test("an unknown camera is refused; where nothing can be joined the task says why, and opens no thread", async () => {
  const none = async () => {
    throw new ScanError("unsupported", "nmcli cannot be run: it is not installed");
  };
  const scan = createScan([], { network: { isUp: none, join: none } });
  await expect(scan.tasks.create("qr_scan_task", ["back"])).rejects.toMatchObject({ code: "not_found" });
  await expect(scan.tasks.create("qr_scan_task", [])).rejects.toMatchObject({ code: "invalid" });
  const { id } = await start(scan);
  expect(await scan.tasks.ended(id)).toMatchObject({
    status: "error",
    error: "nmcli cannot be run: it is not installed",
  });
  expect(scan.done).toEqual([]);
});

test("of earlier ones only the three latest failures stay", async () => {
  const scan = createScan([]);
  const old = (id: string, status: Task["status"]): Task => ({
    ...{ id, name: "qr_scan_task", task_type: "qr_scan_task", status },
    ...{ is_exclusive: false, is_blocking: false, progress: { current: 0, total: 0, message: "" } },
    ...{
      result: null,
      error: "gone",
      started_at: null,
      completed_at: null,
      run_args: ["front"],
      run_kwargs: {},
    },
    created_at: `2026-01-01T00:00:0${id.slice(1)}.000Z`,
  });
  for (const [id, status] of [
    ["o1", "error"],
    ["o2", "error"],
    ["o3", "cancelled"],
    ["o4", "error"],
    ["o5", "interrupted"],
    ["o6", "error"],
    ["o7", "error"],
  ] as const)
    await scan.store.save(old(id, status));
  await scan.tasks.restore();
  await start(scan);
  await scan.clock.advance(1000);
  expect(scan.tasks.list().map(({ id }) => id)).toEqual(["o4", "o6", "o7", "t1"]);
  expect([...scan.store.files.keys()].sort()).toEqual(["o4", "o6", "o7", "t1"]);
});

test("a real picture, a real thread and a real process: held askew before the camera, the code is joined", async () => {
  const nmcli = await installNmcli();
  const log = recordingLogger();
  const text = String.raw`WIFI:T:WPA;S:Café\; 東京;P:secret\\99;;`;
  const picture = await qrPicture({ text, size: 300, degrees: 12, shear: 0.1, blur: 1, noise: 10 });
  const { tasks, store } = createScan(
    [],
    {
      camera: () => ({ preview: async () => picture }),
      network: new NetworkManager({ env: nmcli.env, clock: systemClock, log }),
      openReader: () => new QrReader(),
    },
    systemClock as FakeClock,
  );
  const { id } = await tasks.create("qr_scan_task", ["front"]);
  const task = await tasks.ended(id);
  expect(task).toMatchObject({
    status: "completed",
    result: {
      ssid: "Café; 東京",
      security: "WPA",
      hidden: false,
      nmcli_output: expect.stringContaining("activated") as string,
    },
  });
  const secrets = (await nmcli.calls()).flatMap((call) => call.secrets ?? []);
  expect(secrets).toEqual([`802-11-wireless-security.psk:${String.raw`secret\\99`}\n`]);
  expect(
    JSON.stringify([store.writes, log.lines, (await nmcli.calls()).map(({ args }) => args)]),
  ).not.toContain("secret");
}, 30_000);

function rejectsWith(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
