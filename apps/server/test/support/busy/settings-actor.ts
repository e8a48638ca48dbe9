import type { CameraSettings, FirmwareSettings } from "@openscan/protocol";
import { expect } from "vitest";
import type { Api } from "../api.js";
import { type Actor, done, type Reported, untilGone } from "./actor.js";

const camera = "/latest/cameras/simulated_camera/settings";

/** Changes settings of the camera and of the firmware, and stores them, again and again. */
export class SettingsActor implements Actor {
  readonly #reported: Reported;
  /** Each value is greater than the one before, so that one read later tells which write it is of. */
  #asked = 0;
  #stored = 0;
  #cloudAsked = false;
  #cloudStored: boolean | undefined;

  constructor(reported: Reported) {
    this.#reported = reported;
  }

  async work(api: Api, gone: AbortSignal): Promise<void> {
    await untilGone(gone, async () => {
      const asked = ++this.#asked;
      await done(api, "PATCH", camera, { contrast: asked / 1000 });
      await done(api, "PATCH", "/latest/device/configurations/current");
      this.#stored = asked;
      this.#reported();
      this.#cloudAsked = asked % 2 === 0;
      this.#cloudStored = undefined;
      await done(api, "PATCH", "/latest/firmware/settings/enable_cloud", { value: this.#cloudAsked });
      this.#cloudStored = this.#cloudAsked;
      this.#reported();
      await new Promise((resolve) => setTimeout(resolve, 5));
    });
  }

  async verify(api: Api): Promise<void> {
    const { contrast } = await done<CameraSettings>(api, "GET", camera);
    const found = Math.round(1000 * (contrast ?? 0));
    // Before the first was stored it is the preset's.
    if (this.#stored > 0) expect(found).toBeGreaterThanOrEqual(this.#stored);
    if (this.#stored > 0) expect(found).toBeLessThanOrEqual(this.#asked);
    const { enable_cloud } = await done<FirmwareSettings>(api, "GET", "/latest/firmware/settings");
    if (this.#cloudStored !== undefined) expect(enable_cloud).toBe(this.#cloudStored);
  }
}
