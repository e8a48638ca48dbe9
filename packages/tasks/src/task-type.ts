import { ScanError, type TaskProgress } from "@openscan/protocol";
import type { Clock, Logger } from "@openscan/runtime";
import type { Concurrency } from "./lane.js";

/**
 * What a task occupies: `scanner` is motors, lights and cameras, `network` none of them, `processor` much of the
 * computer's time and memory, which is why only one of its tasks runs at a time. Tasks of different lanes never wait for
 * each other: an upload does not touch the motors, so it neither delays a scan nor is delayed by one.
 */
export type LaneName = "scanner" | "network" | "processor";

/** What the manager gives a body while it runs. */
export interface TaskContext {
  readonly id: string;
  /**
   * Aborted with a `ScanError("cancelled")` when the task is cancelled, which is a `TaskPreempted` when it had to make
   * room, and with a `TaskInterrupted` at shutdown.
   * Pass it to every wait: only the body itself can end what it has begun.
   */
  readonly signal: AbortSignal;
  /** The progress published last. */
  readonly progress: TaskProgress;
  /** Waits while the task is paused; throws the signal's reason when it was aborted. */
  checkpoint(): Promise<void>;
  /**
   * Pauses the task from within, for a reason that its progress then tells; it goes on when somebody resumes it or the
   * body calls `resume`. Does nothing unless it runs.
   *
   * @returns whether it has
   */
  pause(reason: string): boolean;
  /** Ends a pause that the body itself asked for, unless somebody else has asked for one meanwhile. */
  resume(): void;
  readonly log: Logger;
  readonly clock: Clock;
}

/** A running body: a generator yields its progress and returns its result; a promise has only a result. */
export type TaskBody = AsyncGenerator<TaskProgress, unknown, void> | Promise<unknown>;

export interface Arguments {
  readonly args: unknown[];
  readonly kwargs: Record<string, unknown>;
}

export interface TaskDefinition<Input> {
  /** Name on the wire: lower case, digits and `_`, ending in `_task`. */
  readonly type: string;
  /**
   * - `exclusive`: nothing else of its lane runs meanwhile
   * - `concurrent`: beside others, up to a limit
   * - `worker`: its work happens on a thread of its own (see `defineWorkerTask`)
   */
  readonly concurrency: Concurrency;
  /** Default `scanner`. */
  readonly lane?: LaneName;
  /** Endless by nature: cancelled as soon as an exclusive task of its lane is asked for. Default `false`. */
  readonly preemptible?: boolean;
  /**
   * Parses the arguments, before a task is created. After a restart of the process it is given what `redact` left.
   *
   * @throws ScanError `invalid`
   */
  input(args: unknown[], kwargs: Record<string, unknown>): Input;
  /** What of the arguments may be published and stored; without it all of them. */
  redact?(args: unknown[], kwargs: Record<string, unknown>): Arguments;
  /** Does the work. Its `finally` blocks have run before the task's slot is free again. */
  run(input: Input, context: TaskContext): TaskBody;
}

/** A definition whose input type is hidden, so that a manager can hold many of them. */
export interface TaskType {
  readonly type: string;
  readonly concurrency: Concurrency;
  readonly lane: LaneName;
  readonly preemptible: boolean;
  /** Parses the arguments; the returned function starts a body with them. */
  prepare(args: unknown[], kwargs: Record<string, unknown>): (context: TaskContext) => TaskBody;
  redact(args: unknown[], kwargs: Record<string, unknown>): Arguments;
}

const NAME = /^[a-z][a-z0-9_]*_task$/;

/** @throws ScanError `invalid` when the name does not follow the rule */
export function defineTask<Input>(definition: TaskDefinition<Input>): TaskType {
  const { type, concurrency, lane = "scanner", preemptible = false } = definition;
  if (!NAME.test(type)) throw new ScanError("invalid", `task type "${type}" does not match ${NAME.source}`);
  return {
    type,
    concurrency,
    lane,
    preemptible,
    prepare(args, kwargs) {
      const input = parse(definition, args, kwargs);
      return (context) => definition.run(input, context);
    },
    redact: (args, kwargs) => definition.redact?.(args, kwargs) ?? { args, kwargs },
  };
}

function parse<Input>(
  definition: TaskDefinition<Input>,
  args: unknown[],
  kwargs: Record<string, unknown>,
): Input {
  try {
    return definition.input(args, kwargs);
  } catch (cause) {
    if (cause instanceof ScanError) throw cause;
    throw new ScanError("invalid", `arguments of ${definition.type}: ${String(cause)}`, { cause });
  }
}
