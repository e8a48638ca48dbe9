import fc from "fast-check";
import type { Direction, Witness } from "../network/link.js";
import type { Pace } from "../network/pipe.js";
import type { Happening, Name } from "./scanner.js";
import {
  type ClientPlan,
  type CursorChange,
  type FaultKind,
  type HubPlan,
  type Schedule,
  type Step,
  unlimited,
} from "./schedule.js";

type Weighted<T> = readonly [weight: number, arbitrary: fc.Arbitrary<T>];

const weighted = <T>(...choices: readonly Weighted<T>[]): fc.Arbitrary<T> =>
  fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));

const client = fc.nat(2);
const padding = weighted([12, fc.constant(0)], [2, fc.constantFrom(200, 2000, 20_000)]);
const whatOf: Readonly<Record<Name, fc.Arbitrary<Happening["what"]>>> = {
  tasks: fc.constantFrom(
    ...(["create", "start", "start", "progress", "progress", "progress", "pause"] as const),
    ...(["end", "end", "delete", "photo", "photo", "stalled"] as const),
  ),
  device: fc.constantFrom(
    ...(["move", "move", "move", "move", "light", "configure", "fault", "fault"] as const),
  ),
};

/** Mostly of one namespace; what happens in the other must not matter. */
const happening = (mostly: Name): fc.Arbitrary<Happening> =>
  fc.record({
    what: weighted([5, whatOf[mostly]], [1, whatOf[mostly === "tasks" ? "device" : "tasks"]]),
    target: fc.nat(7),
    padding,
  });

const pace = weighted<Pace>(
  [2, fc.constant("flowing" as const)],
  [2, fc.constant("stalled" as const)],
  [
    3,
    fc.constantFrom(
      { bytes: 100, everyMs: 1000 },
      { bytes: 33, everyMs: 50 },
      { bytes: 1000, everyMs: 100 },
      { bytes: 10_000, everyMs: 1000 },
    ),
  ],
);
const direction = fc.constantFrom<Direction>("down", "down", "down", "up");
const witness = fc.constantFrom<Witness>("both", "both", "both", "client", "server", "nobody");
const cursorChange: fc.Arbitrary<CursorChange> = fc.oneof(
  fc.record({ since: fc.constantFrom(-1, -3, -100, 1, 3, 1000) }),
  fc.record({ epoch: fc.constantFrom("foreign" as const, "first" as const) }),
  fc.constantFrom("removed" as const, "without epoch" as const),
);

const step = (namespace: Name): fc.Arbitrary<Step> => {
  const happenings = (maxLength: number) => fc.array(happening(namespace), { minLength: 1, maxLength });
  const make = <Do extends Step["do"]>(name: Do) => fc.constant(name);
  return weighted<Step>(
    [12, fc.record({ do: make("publish"), happenings: happenings(6) })],
    [
      2,
      fc.record({
        do: make("burst"),
        happenings: happenings(4),
        times: fc.constantFrom(5, 5, 20, 20, 60, 60, 150),
        turns: fc.boolean(),
      }),
    ],
    [12, fc.record({ do: make("wait"), ms: fc.constantFrom(0, 0, 1, 10, 50, 200, 1000, 5000, 20_000) })],
    [1, fc.record({ do: make("wait"), ms: fc.constantFrom(45_000, 100_000, 1_000_000, 8_000_000) })],
    [4, fc.record({ do: make("pace"), client, direction, pace })],
    [
      4,
      fc.record({
        do: make("cut"),
        client,
        direction,
        after: fc.oneof(fc.constant(0), fc.nat(40), fc.nat(3000)),
        witness,
      }),
    ],
    [
      2,
      fc.record({
        do: make("network"),
        client,
        state: fc.constantFrom("up" as const, "up" as const, "refusing" as const, "silent" as const),
      }),
    ],
    [1, fc.record({ do: make("cursor"), client, change: cursorChange })],
    [
      2,
      fc.record({
        do: make("fault"),
        client,
        kind: fc.constantFrom<FaultKind>("drop", "drop", "duplicate", "swap"),
        skip: fc.nat(4),
      }),
    ],
    [1, fc.record({ do: make("cut all"), witness })],
    [
      1,
      fc.record({
        do: make("restart"),
        how: fc.constantFrom("killed" as const, "crashed" as const, "graceful" as const),
        downMs: fc.constantFrom(0, 300, 5000, 60_000),
      }),
    ],
    [1, fc.record({ do: make("read"), client, events: fc.nat(30) })],
  );
};

const filterOf = {
  tasks: fc.record(
    {
      types: fc.constantFrom(
        ["task.update"],
        ["task.update", "task.deleted"],
        ["photo.captured", "task.deleted"],
        ["task.stalled"],
      ),
      ids: fc.constantFrom(["t0"], ["t1", "t3"]),
    },
    { requiredKeys: [] },
  ),
  device: fc.record(
    {
      types: fc.constantFrom(["device.status"], ["device.fault"]),
      paths: fc.constantFrom(
        ["motors.turntable"],
        ["motors.*"],
        ["lights"],
        ["lights.ring.is_on", "scan_radius_mm"],
      ),
    },
    { requiredKeys: [] },
  ),
};

const plan = (namespace: Name): fc.Arbitrary<ClientPlan> =>
  fc
    .tuple(
      fc.record({
        latencyMs: fc.constantFrom(1, 5, 40),
        capacity: fc.constantFrom(1_000_000, 1_000_000, 16_384, 2048),
        browser: fc.boolean(),
        slowLoop: fc.boolean(),
      }),
      weighted<Pick<ClientPlan, "types" | "ids" | "paths">>([1, fc.constant({})], [1, filterOf[namespace]]),
      weighted<Pick<ClientPlan, "minIntervalMs">>(
        [2, fc.constant({})],
        [1, fc.record({ minIntervalMs: fc.constantFrom(100, 2000) })],
      ),
      weighted<Pick<ClientPlan, "delta">>([2, fc.constant({})], [1, fc.constant({ delta: false })]),
    )
    .map(([way, filter, interval, delta]) => ({
      namespace,
      ...way,
      ...filter,
      ...interval,
      ...(namespace === "device" && delta),
    }));

const remembering = { historyEvents: unlimited, historyBytes: unlimited, historyAgeMs: unlimited };
const forgetful = fc.record({
  historyEvents: fc.constantFrom(1, 3, 20, 200),
  historyBytes: fc.constantFrom(500, 4000, unlimited),
  historyAgeMs: fc.constantFrom(1000, 60_000, 3_600_000),
});
const ladder = fc.constantFrom(
  { mergeBytes: 256 * 1024, pendingBytes: 1024 * 1024 },
  { mergeBytes: 2000, pendingBytes: 1024 * 1024 },
  { mergeBytes: 2000, pendingBytes: 10_000 },
);
const hub: fc.Arbitrary<HubPlan> = fc
  .tuple(ladder, weighted([2, fc.constant(remembering)], [1, forgetful]))
  .map(([pending, history]) => ({ ...pending, ...history }));

/** Schedules around clients of one namespace. */
export const schedules = (namespace: Name): fc.Arbitrary<Schedule> =>
  fc.record({
    clients: weighted(
      [3, fc.array(plan(namespace), { minLength: 1, maxLength: 1 })],
      [1, fc.array(plan(namespace), { minLength: 2, maxLength: 3 })],
    ),
    hub,
    steps: fc.array(step(namespace), { minLength: 2, maxLength: 18 }),
    random: fc.nat(),
  });
