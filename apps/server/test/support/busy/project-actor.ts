import type { Project } from "@openscan/protocol";
import { expect } from "vitest";
import type { Api } from "../api.js";
import { type Actor, done, type Reported, untilGone } from "./actor.js";

/** Makes projects and deletes them. */
export class ProjectActor implements Actor {
  #count = 0;
  /** Made, and nobody has asked to delete them. */
  readonly #made = new Map<string, string>();
  readonly #deleted = new Set<string>();
  readonly #reported: Reported;

  constructor(reported: Reported) {
    this.#reported = reported;
  }

  async work(api: Api, gone: AbortSignal): Promise<void> {
    await untilGone(gone, async () => {
      const name = `Größe ${++this.#count}`;
      const description = `number ${this.#count}`;
      await done(api, "POST", `${pathOf(name)}?project_description=${encodeURIComponent(description)}`);
      this.#made.set(name, description);
      this.#reported();
      const [oldest] = this.#made.keys();
      if (this.#made.size > 3 && oldest !== undefined) {
        this.#made.delete(oldest);
        await done(api, "DELETE", pathOf(oldest));
        this.#deleted.add(oldest);
        this.#reported();
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    });
  }

  async verify(api: Api): Promise<void> {
    const projects = await done<Record<string, Project>>(api, "GET", "/latest/projects/");
    for (const [name, description] of this.#made) expect(projects[name]).toMatchObject({ name, description });
    expect(Object.keys(projects).filter((name) => this.#deleted.has(name))).toEqual([]);
  }
}

const pathOf = (name: string) => `/latest/projects/${encodeURIComponent(name)}`;
