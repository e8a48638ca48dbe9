import type { Clock } from "@openscan/runtime";

export interface PreviewViewer {
  /** Frames per second that it wants; it gets no more. */
  readonly fps: number;
  /** Aborted when it leaves. */
  readonly signal: AbortSignal;
  /** Whether it has read what it got: one that has not gets no frame. */
  readonly isReady: () => boolean;
  readonly show: (jpeg: Uint8Array) => void;
}

interface Watching extends PreviewViewer {
  /** When its next frame is due, on the monotonic clock. */
  due: number;
  readonly leave: (error?: unknown) => void;
}

interface PreviewLoopOptions {
  readonly clock: Clock;
  /** Takes a frame; undefined while something else has the camera. */
  readonly capture: () => Promise<Uint8Array | undefined>;
}

/**
 * Takes the frames of one camera for all who watch it. It runs only while somebody does, no faster than the fastest
 * of them wants, and takes no frame that nobody can read.
 */
export class PreviewLoop {
  readonly #clock: Clock;
  readonly #capture: PreviewLoopOptions["capture"];
  readonly #viewers = new Set<Watching>();
  #latest: Uint8Array | undefined;
  #wake = () => {};
  #running = false;

  constructor({ clock, capture }: PreviewLoopOptions) {
    this.#clock = clock;
    this.#capture = capture;
  }

  /**
   * Shows frames until the viewer leaves. One that joins others sees at once what they have seen last, so that it
   * need not wait for a photo to end.
   *
   * @throws what `capture` throws, or `end` is given: every viewer then has seen its last frame
   */
  watch(viewer: PreviewViewer): Promise<void> {
    if (viewer.signal.aborted) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const leave = (error?: unknown) => {
        if (!this.#viewers.delete(watching)) return;
        viewer.signal.removeEventListener("abort", left);
        if (error === undefined) resolve();
        else reject(error);
        this.#wake();
      };
      const left = () => leave();
      const watching: Watching = { ...viewer, due: this.#clock.monotonic(), leave };
      viewer.signal.addEventListener("abort", left, { once: true });
      this.#viewers.add(watching);
      if (this.#latest && viewer.isReady()) viewer.show(this.#latest);
      if (this.#running) this.#wake();
      else void this.#run();
    });
  }

  /** Ends the loop for all viewers. */
  end(error: unknown): void {
    for (const { leave } of this.#viewers) leave(error);
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#viewers.size > 0) {
      const pause = Math.min(...this.#each(({ due }) => due)) - this.#clock.monotonic();
      if (pause > 0) await this.#pause(pause);
      else await this.#next();
    }
    this.#running = false;
    this.#latest = undefined;
  }

  /** One frame for all to whom it is due, or nearly: so viewers of similar rates fall into step. */
  async #next(): Promise<void> {
    const nearlyMs = 500 / Math.max(...this.#each(({ fps }) => fps));
    const dueNow = () => [...this.#viewers].filter(({ due }) => due <= this.#clock.monotonic() + nearlyMs);
    let frame: Uint8Array | undefined;
    try {
      if (dueNow().some(({ isReady }) => isReady())) frame = await this.#capture();
    } catch (error) {
      this.end(error);
      return;
    }
    this.#latest = frame ?? this.#latest;
    for (const viewer of dueNow()) {
      viewer.due = this.#clock.monotonic() + 1000 / viewer.fps;
      if (frame && viewer.isReady()) viewer.show(frame);
    }
  }

  async #pause(ms: number): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await this.#clock.sleep(ms, woken.signal).catch(() => {}); // somebody came or left
    this.#wake = () => {};
  }

  #each(value: (viewer: Watching) => number): number[] {
    return [...this.#viewers].map(value);
  }
}
