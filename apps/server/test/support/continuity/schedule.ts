import type { HubLimits } from "@openscan/hub";
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
  | { readonly epoch: "foreign" | "first" }
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

/** Of history: more than a schedule makes or lasts. */
export const unlimited = 1e9;
