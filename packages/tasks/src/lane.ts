export type Concurrency = "exclusive" | "concurrent" | "worker";

/** How many tasks of a kind may run at once in one lane. */
export interface LaneLimits {
  readonly concurrent: number;
  readonly worker: number;
}

/** Whether a task may start beside those that run; paused and unwinding ones still run. */
export function mayStart(
  candidate: Concurrency,
  running: readonly Concurrency[],
  limits: LaneLimits,
): boolean {
  if (running.includes("exclusive")) return false;
  if (candidate === "exclusive") return running.length === 0;
  return running.filter((kind) => kind === candidate).length < limits[candidate];
}

/** The queue and the running set of one lane: strictly first in, first out, so nothing overtakes or starves. */
export class Lane<Member extends { readonly concurrency: Concurrency }> {
  readonly #limits: LaneLimits;
  readonly #waiting: Member[] = [];
  readonly #running = new Set<Member>();

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  get waiting(): readonly Member[] {
    return this.#waiting;
  }

  get running(): ReadonlySet<Member> {
    return this.#running;
  }

  join(member: Member): void {
    this.#waiting.push(member);
  }

  /** Takes the head into the running set if it may start. One synchronous step: nobody can come in between. */
  startNext(): Member | undefined {
    const head = this.#waiting[0];
    if (!head) return;
    const running = [...this.#running].map(({ concurrency }) => concurrency);
    if (!mayStart(head.concurrency, running, this.#limits)) return;
    this.#waiting.shift();
    this.#running.add(head);
    return head;
  }

  /** Removes a member wherever it is. */
  leave(member: Member): void {
    this.#running.delete(member);
    const index = this.#waiting.indexOf(member);
    if (index >= 0) this.#waiting.splice(index, 1);
  }
}
