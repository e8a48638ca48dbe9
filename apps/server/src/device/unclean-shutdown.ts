import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, timestamp } from "@openscan/runtime";
import { writeFileAtomic } from "@openscan/runtime/atomic-file";
import { z } from "zod";

const State = z.object({ unclean_shutdown: z.boolean() });

/** Tells the next start whether this one ended in order: `firmware_state.lock` in the runtime directory. */
export class UncleanShutdown {
  readonly #path: string;
  readonly #version: string;
  readonly #clock: Clock;
  #lastWasUnclean = false;

  constructor(runtimeDir: string, version: string, clock: Clock) {
    this.#path = join(runtimeDir, "firmware_state.lock");
    this.#version = version;
    this.#clock = clock;
  }

  get lastWasUnclean(): boolean {
    return this.#lastWasUnclean;
  }

  async start(): Promise<void> {
    this.#lastWasUnclean = await wasUnclean(this.#path);
    await this.#write(true, this.#lastWasUnclean);
  }

  async markClean(): Promise<void> {
    await this.#write(false, false);
  }

  async #write(unclean: boolean, lastWasUnclean: boolean): Promise<void> {
    const state = {
      version: 1,
      unclean_shutdown: unclean,
      last_shutdown_was_unclean: lastWasUnclean,
      updated_at: timestamp(this.#clock),
      last_seen_firmware_version: this.#version,
    };
    await writeFileAtomic(this.#path, `${JSON.stringify(state, null, 2)}\n`);
  }
}

async function wasUnclean(path: string): Promise<boolean> {
  try {
    return State.parse(JSON.parse(await readFile(path, "utf8"))).unclean_shutdown;
  } catch {
    // The first start, or a file that the older backend left half-written: nothing is known to be wrong.
    return false;
  }
}
