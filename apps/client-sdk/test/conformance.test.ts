import { FakeClock } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { createScannerClient, type ScannerClientOptions, type SocketConstructor } from "../src/index.js";
import { createFakeScanner, type FakeScanner } from "../src/testing/index.js";
import { hubScanner, type Reachable } from "./support/hub-scanner.js";

type Filters = Pick<ScannerClientOptions, "device" | "tasks">;

const eventTypes = {
  device: ["resync", "device.status", "device.fault"],
  tasks: ["resync", "task.update", "task.deleted", "task.stalled", "photo.captured"],
} as const;

/** An application that writes down everything it sees. */
function watch(options: ScannerClientOptions) {
  const client = createScannerClient({ random: () => 0.001, onError: () => {}, ...options });
  const seen = { device: [] as unknown[], tasks: [] as unknown[] };
  const freshness = { device: [] as string[], tasks: [] as string[] };
  let look = () => {};
  for (const type of eventTypes.device) client.device.on(type, (event) => note(seen.device, event));
  for (const type of eventTypes.tasks) client.tasks.on(type, (event) => note(seen.tasks, event));
  for (const name of ["device", "tasks"] as const) {
    client[name].subscribe(() => note(freshness[name], client[name].get().freshness.status));
  }
  /** A freshness is told again when its state or age changes. */
  const note = (list: unknown[], what: unknown) => {
    if (list.at(-1) !== what) list.push(what);
    look();
  };
  return {
    seen,
    freshness,
    /** What is on the screen in the end. */
    state: () => ({ device: client.device.get(), tasks: client.tasks.get() }),
    until: (found: () => boolean) =>
      new Promise<void>((resolve) => {
        look = () => void (found() && resolve());
        look();
      }),
    close: () => client.close(),
  };
}
type Watcher = ReturnType<typeof watch>;

async function bothAre(app: Watcher, ...statuses: string[]): Promise<void> {
  await app.until(() =>
    [app.freshness.device, app.freshness.tasks].every((list) => statuses.includes(list.at(-1) ?? "")),
  );
}

/** Everything that can happen to a scanner and to the network before it, step by step. */
async function session(
  scanner: FakeScanner,
  network: Reachable,
  app: Watcher,
  legacy: boolean,
): Promise<void> {
  let marks = 0;
  /** Waits until the application is up to date, which it is when it has seen a change of each kind. */
  const arrive = async () => {
    await bothAre(app, "live");
    const mark = `mark-${++marks}`;
    const angle = marks / 10;
    scanner.setDevice("motors.rotor.angle", angle);
    scanner.updateTask("a", { progress: { message: mark } });
    scanner.capturePhoto({ task_id: "a", file: mark });
    const last = legacy ? `"message":"${mark}"` : `"file":"${mark}"`;
    await app.until(
      () =>
        app.state().device.state?.motors["rotor"]?.angle === angle &&
        app.seen.tasks.some((event) => JSON.stringify(event).includes(last)),
    );
  };
  const live = () => {
    scanner.setDevice({ motors: { turntable: { busy: true, target_angle: 90 } } });
    scanner.setDevice({ motors: { turntable: { busy: false, target_angle: null, angle: 90 + marks } } });
    scanner.setDevice("lights.ringlight.is_on", marks % 2 === 0);
    scanner.fault({ component: "motors.turntable" });
    const { id } = scanner.startTask({ id: `b${marks}`, progress: { current: 0, total: 3, message: "" } });
    for (const current of [1, 2, 3]) scanner.updateTask(id, { progress: { current } });
    scanner.capturePhoto({ task_id: id, file: `${id}.jpg` });
    scanner.updateTask(id, { status: "paused" });
    scanner.stallTask(id);
    scanner.updateTask(id, { status: "running" });
    scanner.finishTask(id);
  };

  await arrive();
  live();
  await arrive();
  scanner.deleteTask("b1");
  scanner.setDevice({
    lights: { ringlight: undefined, "top/left ~ 1.5": scanner.device.lights["ringlight"] },
  });
  scanner.setDevice("lights.ringlight", {
    name: "ringlight",
    is_on: true,
    settings: { pin: null, pins: [1], pwm_support: false },
  });
  await arrive();

  network.disconnect();
  await bothAre(app, "stale", "resyncing", "offline");
  await arrive();

  network.refuse();
  network.disconnect();
  await bothAre(app, "offline");
  live();
  scanner.deleteTask("b4");
  network.comeBack();
  await arrive();

  network.refuse();
  network.disconnect();
  await bothAre(app, "offline");
  live();
  await network.restart();
  live();
  network.comeBack();
  await arrive();
}

const cases: readonly [string, { legacy: boolean; filters: Filters }][] = [
  ["everything", { legacy: false, filters: {} }],
  ["whole devices", { legacy: false, filters: { device: { delta: false } } }],
  [
    "some types and paths",
    {
      legacy: false,
      filters: { device: { paths: ["motors.*"] }, tasks: { types: ["photo.captured", "task.deleted"] } },
    },
  ],
  ["one task", { legacy: false, filters: { device: { types: ["device.status"] }, tasks: { ids: ["a"] } } }],
  ["the legacy dialect", { legacy: true, filters: {} }],
];

interface Place {
  readonly network: Reachable;
  readonly WebSocket: SocketConstructor;
  close(): Promise<void>;
}

/** Plays the session and returns what the application saw of it. */
async function play(
  scanner: FakeScanner,
  { network, WebSocket, close }: Place,
  { legacy, filters }: { readonly legacy: boolean; readonly filters: Filters },
) {
  const app = watch({ url: network.url, WebSocket, fetch: scanner.fetch, ...filters });
  try {
    await session(scanner, network, app, legacy);
    return structuredClone({ seen: app.seen, freshness: app.freshness, state: app.state() });
  } finally {
    app.close();
    await close();
  }
}

const tasks = [{ id: "a", status: "running" as const }];

test.each(cases)(
  "an application sees the same of the scanner in memory as of the real hub: %s",
  async (_, options) => {
    const fake = createFakeScanner({ clock: new FakeClock(), tasks, legacy: options.legacy });
    const inMemory = { network: fake, WebSocket: fake.WebSocket, close: async () => {} };
    const ofFake = await play(fake, inMemory, options);

    const clock = new FakeClock();
    const source = createFakeScanner({ clock, tasks });
    const { close, ...network } = await hubScanner(source, clock, options.legacy);
    const ofHub = await play(source, { network, WebSocket, close }, options);

    expect(ofFake).toEqual(ofHub);
    const cut = ["stale", "resyncing", "live"];
    const down = ["stale", "offline", "resyncing", "live"];
    expect(ofFake.freshness.tasks).toEqual(["resyncing", "live", ...cut, ...down, ...down]);
    expect(lossesNoticed(ofFake.seen.tasks)).toEqual(
      options.legacy ? [false, true, true, true] : [false, true],
    );
  },
);

/** Of every snapshot: whether facts may have been missed before it. */
function lossesNoticed(seen: readonly unknown[]): unknown[] {
  return seen.flatMap((event) => (isResync(event) ? [event.lost] : []));
}

function isResync(event: unknown): event is { readonly lost: boolean } {
  return (event as { readonly type: string }).type === "resync";
}
