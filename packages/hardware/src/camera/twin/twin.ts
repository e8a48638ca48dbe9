import { ScanError } from "@openscan/protocol";
import { type Logger, workerUrl } from "@openscan/runtime";
import { RenderThread } from "./render-thread.js";
import { previewSize, type TwinPhoto, type TwinView } from "./view.js";

/** Photos that may wait for the one being rendered; a scan takes one at a time. */
const WAITING_STILLS = 8;
/** Motors report finer angles than a preview can show; rounding lets a resting scene be recognised. */
const PREVIEW_STEP_DEGREES = 0.05;

/**
 * A simulated camera in front of a ceramic figure on a turntable, good enough for photogrammetry. Previews
 * and photos are rendered in one worker thread each, which start with the first picture.
 */
export class Twin {
  readonly #stills: RenderThread;
  readonly #previews: RenderThread;
  #frame: Promise<Uint8Array> | undefined;
  #shown: { readonly key: string; readonly bytes: Uint8Array } | undefined;

  constructor({ log }: { log: Logger }) {
    const script = workerUrl(import.meta.url, "./render-worker.js");
    this.#stills = new RenderThread({ script, log, limit: WAITING_STILLS });
    this.#previews = new RenderThread({ script, log, limit: 1 });
  }

  /**
   * Takes a photo. The same view and seed give the same bytes.
   *
   * @param signal a photo not begun is dropped, the result of one in work is thrown away
   * @throws ScanError `out_of_range` for a size or angle the camera does not have, `busy` when eight photos
   *   wait, `hardware_fault` when the worker dies (the next photo starts another), `offline` after `close`
   */
  async still(view: TwinView, signal?: AbortSignal): Promise<TwinPhoto> {
    return this.#stills.render(checked(view), signal);
  }

  /**
   * A small JPEG, of the size `previewSize(view.settings)` minus the crop. While one is being rendered,
   * every caller gets that one; an unchanged scene gets the same bytes again.
   *
   * @throws ScanError as `still`
   */
  async preview(view: TwinView): Promise<Uint8Array> {
    const [width, height] = previewSize(view.settings);
    const [theta, fi] = [roundAngle(view.theta), roundAngle(view.fi)];
    const small = checked({ ...view, theta, fi, width, height, seed: 0 });
    const key = JSON.stringify(small);
    if (this.#shown?.key === key) return this.#shown.bytes;

    this.#frame ??= this.#renderPreview(key, small);
    return this.#frame;
  }

  /** Ends both workers. Pictures that were asked for fail with `offline`. */
  async close(): Promise<void> {
    this.#shown = undefined;
    await Promise.all([this.#stills.close(), this.#previews.close()]);
  }

  async #renderPreview(key: string, view: TwinView): Promise<Uint8Array> {
    try {
      const { bytes } = await this.#previews.render(view);
      this.#shown = { key, bytes };
      return bytes;
    } finally {
      this.#frame = undefined;
    }
  }
}

function roundAngle(degrees: number): number {
  return Math.round(degrees / PREVIEW_STEP_DEGREES) * PREVIEW_STEP_DEGREES;
}

/** Only numbers that can be rendered reach the worker. */
function checked(view: TwinView): TwinView {
  for (const name of ["theta", "fi", "radiusMm", "light", "seed"] as const) {
    if (Number.isFinite(view[name])) continue;
    throw new ScanError("out_of_range", `simulated camera: ${name} must be a number, not ${view[name]}`);
  }
  return { ...view, light: Math.min(1, Math.max(0, view.light)) };
}
