import type { HubLimits } from "@openscan/hub";
import fc from "fast-check";
import type { Direction, Witness } from "../network/link.js";
import type { Pace } from "../network/pipe.js";
import type { Happening } from "./scanner.js";

/** What one client asks for, and the way from it to the server. */
export interface ClientPlan {
  readonly namespace: "tasks" | "device";
  readonly types?: readonly string[];
  readonly ids?: readonly string[];
  readonly paths?: readonly string[];
  readonly minIntervalMs?: number;
  readonly delta?: boolean;
  readonly latencyMs: number;
  readonly capacity: number;
  /** A browser: no `terminate()`, and silence after `close()`. */
  readonly browser: boolean;
  /** Reads with a loop, whenever a step says so, besides its listeners. */
  readonly slowLoop: boolean;
}

/** The hub's limits. */
export type HubPlan = Pick<
  HubLimits,
  "mergeBytes" | "pendingBytes" | "historyEvents" | "historyBytes" | "historyAgeMs"
>;

/** What is done to a client's cursor in the next request on its way to the server. */
export type CursorChange =
  | { readonly since: number }
  | { readonly epoch: "foreign" | "previous" }
  | "removed"
  | "without epoch";

export type FaultKind = "drop" | "duplicate" | "swap";

export type Step =
  | { readonly do: "publish"; readonly happenings: readonly Happening[] }
  | {
      readonly do: "burst";
      readonly happenings: readonly Happening[];
      readonly times: number;
      readonly turns: boolean;
    }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "pace"; readonly client: number; readonly direction: Direction; readonly pace: Pace }
  | {
      readonly do: "cut";
      readonly client: number;
      readonly direction: Direction;
      /** Bytes that still pass. */
      readonly after: number;
      readonly witness: Witness;
    }
  | { readonly do: "network"; readonly client: number; readonly state: "up" | "refusing" | "silent" }
  | { readonly do: "cursor"; readonly client: number; readonly change: CursorChange }
  | { readonly do: "fault"; readonly client: number; readonly kind: FaultKind; readonly skip: number }
  | { readonly do: "cut all"; readonly witness: Witness }
  | { readonly do: "restart"; readonly how: "killed" | "crashed" | "graceful"; readonly downMs: number }
  | { readonly do: "read"; readonly client: number; readonly events: number };

export interface Schedule {
  readonly clients: readonly ClientPlan[];
  readonly hub: HubPlan;
  readonly steps: readonly Step[];
  /** Seed of the clients' back-off. */
  readonly random: number;
}

const namespace = fc.constantFrom("tasks" as const, "device" as const);
const client = fc.nat(2);
const padding = fc.oneof(
  { arbitrary: fc.constant(0), weight: 12 },
  { arbitrary: fc.constantFrom(200, 2000, 20_000), weight: 2 },
);
const whatOf = {
  tasks: fc.constantFrom(
    ...(["create", "start", "start", "progress", "progress", "progress", "pause"] as const),
    ...(["end", "end", "delete", "photo", "photo", "stalled"] as const),
  ),
  device: fc.constantFrom(
    ...(["move", "move", "move", "move", "light", "configure", "fault", "fault"] as const),
  ),
};
const happening: fc.Arbitrary<Happening> = fc.record({
  what: namespace.chain((name) => whatOf[name] as fc.Arbitrary<Happening["what"]>),
  target: fc.nat(7),
  padding,
});
const pace: fc.Arbitrary<Pace> = fc.oneof(
  { arbitrary: fc.constant("flowing" as const), weight: 2 },
  { arbitrary: fc.constant("stalled" as const), weight: 2 },
  {
    arbitrary: fc.constantFrom(
      { bytes: 100, everyMs: 1000 },
      { bytes: 33, everyMs: 50 },
      { bytes: 1000, everyMs: 100 },
      { bytes: 10_000, everyMs: 1000 },
    ),
    weight: 3,
  },
);
const direction = fc.constantFrom<Direction>("down", "down", "down", "up");
const witness = fc.constantFrom<Witness>("both", "both", "both", "client", "server", "nobody");
const cursorChange: fc.Arbitrary<CursorChange> = fc.oneof(
  fc.record({ since: fc.constantFrom(-1, -3, -100, 1, 3, 1000) }),
  fc.record({ epoch: fc.constantFrom("foreign" as const, "previous" as const) }),
  fc.constantFrom("removed" as const, "without epoch" as const),
);

const steps = {
  publish: fc.record({
    do: fc.constant("publish" as const),
    happenings: fc.array(happening, { minLength: 1, maxLength: 6 }),
  }),
  burst: fc.record({
    do: fc.constant("burst" as const),
    happenings: fc.array(happening, { minLength: 1, maxLength: 4 }),
    times: fc.constantFrom(5, 20, 60),
    turns: fc.boolean(),
  }),
  wait: fc.record({
    do: fc.constant("wait" as const),
    ms: fc.constantFrom(0, 0, 1, 10, 50, 200, 1000, 5000, 20_000),
  }),
  waitLong: fc.record({
    do: fc.constant("wait" as const),
    ms: fc.constantFrom(45_000, 100_000, 1_000_000, 8_000_000),
  }),
  pace: fc.record({ do: fc.constant("pace" as const), client, direction, pace }),
  cut: fc.record({
    do: fc.constant("cut" as const),
    client,
    direction,
    after: fc.oneof(fc.constant(0), fc.nat(40), fc.nat(3000)),
    witness,
  }),
  network: fc.record({
    do: fc.constant("network" as const),
    client,
    state: fc.constantFrom("up" as const, "up" as const, "refusing" as const, "silent" as const),
  }),
  cursor: fc.record({ do: fc.constant("cursor" as const), client, change: cursorChange }),
  fault: fc.record({
    do: fc.constant("fault" as const),
    client,
    kind: fc.constantFrom<FaultKind>("drop", "drop", "duplicate", "swap"),
    skip: fc.nat(4),
  }),
  cutAll: fc.record({ do: fc.constant("cut all" as const), witness }),
  restart: fc.record({
    do: fc.constant("restart" as const),
    how: fc.constantFrom("killed" as const, "crashed" as const, "graceful" as const),
    downMs: fc.constantFrom(0, 300, 5000, 60_000),
  }),
  read: fc.record({ do: fc.constant("read" as const), client, events: fc.nat(30) }),
};

const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: steps.publish, weight: 12 },
  { arbitrary: steps.wait, weight: 12 },
  { arbitrary: steps.burst, weight: 2 },
  { arbitrary: steps.waitLong, weight: 1 },
  { arbitrary: steps.pace, weight: 4 },
  { arbitrary: steps.cut, weight: 4 },
  { arbitrary: steps.network, weight: 2 },
  { arbitrary: steps.cursor, weight: 1 },
  { arbitrary: steps.fault, weight: 2 },
  { arbitrary: steps.cutAll, weight: 1 },
  { arbitrary: steps.restart, weight: 1 },
  { arbitrary: steps.read, weight: 1 },
);

const way = {
  latencyMs: fc.constantFrom(1, 5, 40),
  capacity: fc.constantFrom(1_000_000, 1_000_000, 16_384, 2048),
  browser: fc.boolean(),
  slowLoop: fc.boolean(),
};
const plan: fc.Arbitrary<ClientPlan> = fc.oneof(
  fc.record(
    {
      namespace: fc.constant("tasks" as const),
      types: fc.constantFrom(
        ["task.update"],
        ["task.update", "task.deleted"],
        ["photo.captured", "task.deleted"],
        ["task.stalled"],
      ),
      ids: fc.constantFrom(["t0"], ["t1", "t3"]),
      minIntervalMs: fc.constantFrom(100, 2000),
      ...way,
    },
    { requiredKeys: ["namespace", "latencyMs", "capacity", "browser", "slowLoop"] },
  ),
  fc.record(
    {
      namespace: fc.constant("device" as const),
      types: fc.constantFrom(["device.status"], ["device.fault"]),
      paths: fc.constantFrom(
        ["motors.turntable"],
        ["motors.*"],
        ["lights"],
        ["lights.ring.is_on", "scan_radius_mm"],
      ),
      minIntervalMs: fc.constantFrom(100, 2000),
      delta: fc.boolean(),
      ...way,
    },
    { requiredKeys: ["namespace", "latencyMs", "capacity", "browser", "slowLoop"] },
  ),
);

/** As much as the hub's documentation allows. */
const generous = { historyEvents: 1_000_000, historyBytes: Number.POSITIVE_INFINITY, historyAgeMs: 1e9 };
const forgetful = fc.record({
  historyEvents: fc.constantFrom(1, 3, 20, 200),
  historyBytes: fc.constantFrom(500, 4000, 512 * 1024),
  historyAgeMs: fc.constantFrom(1000, 60_000, 3_600_000),
});
const ladder = fc.constantFrom(
  { mergeBytes: 256 * 1024, pendingBytes: 1024 * 1024 },
  { mergeBytes: 2000, pendingBytes: 1024 * 1024 },
  { mergeBytes: 2000, pendingBytes: 10_000 },
);
const hub: fc.Arbitrary<HubPlan> = fc
  .tuple(
    ladder,
    fc.oneof({ arbitrary: fc.constant(generous), weight: 2 }, { arbitrary: forgetful, weight: 1 }),
  )
  .map(([pending, history]) => ({
    ...pending,
    ...history,
    historyBytes: Math.min(history.historyBytes, pending.pendingBytes / 2),
  }));

export const schedules: fc.Arbitrary<Schedule> = fc.record({
  clients: fc.oneof(
    { arbitrary: fc.array(plan, { minLength: 1, maxLength: 1 }), weight: 3 },
    { arbitrary: fc.array(plan, { minLength: 2, maxLength: 3 }), weight: 1 },
  ),
  hub,
  steps: fc.array(step, { minLength: 2, maxLength: 18 }),
  random: fc.nat(),
});
