import { type ClientPlan, type HubPlan, type Schedule, unlimited } from "./schedule.js";

const viewer: ClientPlan = {
  namespace: "tasks",
  latencyMs: 1,
  capacity: 1_000_000,
  browser: false,
  slowLoop: false,
};
const usual: HubPlan = {
  mergeBytes: 262_144,
  pendingBytes: 1_048_576,
  historyEvents: unlimited,
  historyBytes: 524_288,
  historyAgeMs: unlimited,
};

/** Schedules that failed once. */
export const tasksExamples: readonly Schedule[] = [
  // The network moves a cursor back, then loses what the server repeats: nothing that the client lacks.
  {
    clients: [viewer],
    hub: usual,
    steps: [
      { do: "publish", happenings: [{ what: "create", target: 0, padding: 0 }] },
      { do: "wait", ms: 5000 },
      { do: "cursor", client: 0, change: { since: -1 } },
      { do: "cut all", witness: "both" },
      { do: "fault", client: 0, kind: "drop", skip: 0 },
      { do: "wait", ms: 45_000 },
      { do: "publish", happenings: [{ what: "create", target: 0, padding: 0 }] },
      { do: "fault", client: 0, kind: "drop", skip: 0 },
    ],
    random: 0,
  },
  // A server comes back at a fraction of a millisecond, because that is when a jittered timer fired.
  {
    clients: [{ ...viewer, latencyMs: 40 }, viewer],
    hub: usual,
    steps: [
      { do: "restart", how: "killed", downMs: 300 },
      { do: "wait", ms: 10 },
      { do: "restart", how: "graceful", downMs: 0 },
      { do: "wait", ms: 5000 },
      { do: "publish", happenings: [{ what: "create", target: 0, padding: 0 }] },
    ],
    random: 797420189,
  },
  // A slow client's snapshot gets lost that would have said nothing new: its seq was that of the fact before it.
  {
    clients: [{ ...viewer, minIntervalMs: 100 }],
    hub: { ...usual, mergeBytes: 2000, pendingBytes: 10_000, historyBytes: 5000 },
    steps: [
      {
        do: "burst",
        happenings: [
          { what: "create", target: 0, padding: 20_000 },
          { what: "create", target: 0, padding: 0 },
        ],
        times: 5,
        turns: false,
      },
      {
        do: "publish",
        happenings: [
          { what: "create", target: 0, padding: 0 },
          { what: "progress", target: 0, padding: 0 },
        ],
      },
      { do: "wait", ms: 50 },
      { do: "fault", client: 0, kind: "drop", skip: 3 },
      {
        do: "burst",
        happenings: [
          { what: "delete", target: 0, padding: 0 },
          { what: "start", target: 0, padding: 0 },
          { what: "create", target: 0, padding: 0 },
        ],
        times: 5,
        turns: true,
      },
      { do: "wait", ms: 50 },
      { do: "read", client: 0, events: 0 },
      { do: "fault", client: 0, kind: "drop", skip: 0 },
    ],
    random: 0,
  },
  // Tasks that come and go leave a slow client facts, and between them the state of each.
  {
    clients: [{ ...viewer, minIntervalMs: 100 }],
    hub: { ...usual, historyEvents: 1, historyBytes: 500, historyAgeMs: 1000 },
    steps: [
      { do: "wait", ms: 200 },
      {
        do: "burst",
        happenings: [
          { what: "delete", target: 0, padding: 0 },
          { what: "create", target: 0, padding: 20_000 },
          { what: "start", target: 7, padding: 0 },
        ],
        times: 60,
        turns: false,
      },
      { do: "wait", ms: 0 },
      { do: "cut", client: 0, direction: "down", after: 0, witness: "both" },
    ],
    random: 0,
  },
];
export const deviceExamples: readonly Schedule[] = [];
