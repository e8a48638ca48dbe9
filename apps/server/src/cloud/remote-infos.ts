import type { CloudSettings } from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";
import { reason } from "../projects/folders.js";
import { maskingOf } from "./account.js";
import { type Answer, RemoteCloud } from "./remote-cloud.js";

const parallel = 6;
const freshMs = 5000;
/** A cloud that is out of reach now will hardly be back for the next list. */
const failedFreshMs = 15_000;

/** What the cloud says of a project, or why it says nothing. */
export interface RemoteInfo {
  readonly info: Answer | null;
  readonly message: string | null;
}

interface Known {
  readonly answer: Promise<RemoteInfo>;
  /** Until when it counts as fresh; while it is being asked for it does. */
  until: number;
}

/** Asks the cloud for projects, a few at a time, and not again for what it has just said. */
export class RemoteInfos {
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #settings: CloudSettings | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param deadline on the monotonic clock: what is not known by then is answered with a message */
  async get(name: string, settings: CloudSettings | undefined, deadline: number): Promise<RemoteInfo> {
    if (!settings) return { info: null, message: "the cloud is not configured" };
    if (settings !== this.#settings) this.forget();
    this.#settings = settings;
    const now = this.#clock.monotonic();
    const known = this.#known.get(name);
    if (known && known.until > now) return known.answer;
    const fresh: Known = { answer: this.#ask(name, settings, deadline), until: Number.POSITIVE_INFINITY };
    this.#known.set(name, fresh);
    const { info } = await fresh.answer;
    fresh.until = this.#clock.monotonic() + (info ? freshMs : failedFreshMs);
    return fresh.answer;
  }

  forget(): void {
    this.#known.clear();
  }

  async #ask(name: string, settings: CloudSettings, deadline: number): Promise<RemoteInfo> {
    while (this.#running >= parallel) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#running++;
    try {
      const timeoutMs = deadline - this.#clock.monotonic();
      if (timeoutMs <= 0) return { info: null, message: "the cloud did not answer in time" };
      const { shown } = await new RemoteCloud(settings, this.#clock).projectInfo(name, { timeoutMs });
      return { info: shown, message: null };
    } catch (error) {
      // Whatever it is, it must not keep the others from being listed.
      return { info: null, message: maskingOf(settings).text(reason(error)) };
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }
}
