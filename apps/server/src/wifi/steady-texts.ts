/** Frames that are looked back at, and in how many of them a text has to be. */
const FRAMES = 5;
const HITS = 2;

/** Tells a text that was really seen from one that a blurred frame made up. */
export class SteadyTexts {
  readonly #frames: (readonly string[])[] = [];

  /** @returns those texts of the frame that were seen often enough lately */
  see(texts: readonly string[]): string[] {
    this.#frames.push([...new Set(texts)]);
    if (this.#frames.length > FRAMES) this.#frames.shift();
    return [...new Set(texts)].filter(
      (text) => this.#frames.filter((frame) => frame.includes(text)).length >= HITS,
    );
  }
}
