import type { Scan } from "@openscan/protocol";
import { photoSlot } from "../projects/layout.js";

/** The photos of one position, in the order of their focus: paths relative to the scan's folder. */
export interface PhotoStack {
  readonly step: number;
  readonly photos: readonly string[];
}

export interface PhotoStacks {
  /** Photos that a whole stack has; 0 when there is none. */
  readonly size: number;
  /** The whole ones, by position. */
  readonly whole: readonly PhotoStack[];
  /** Positions whose stacks lack photos. */
  readonly incomplete: readonly number[];
}

/**
 * The focus stacks of a scan, as far as they are JPEGs. How many photos a whole one has is what the scan was set to; in
 * folders that do not tell, what most of them have.
 */
export function photoStacks({ photos, settings }: Pick<Scan, "photos" | "settings">): PhotoStacks {
  const found = new Map<number, Map<number, string>>();
  for (const photo of photos) {
    const slot = /\.jpe?g$/i.test(photo) ? photoSlot(photo) : undefined;
    if (!slot || slot.stack === null) continue;
    found.set(slot.step, (found.get(slot.step) ?? new Map<number, string>()).set(slot.stack, photo));
  }
  const size = settings.focus_stacks > 1 ? settings.focus_stacks : mostCommon(found.values());
  const whole: PhotoStack[] = [];
  const incomplete: number[] = [];
  for (const [step, stack] of [...found].sort(([a], [b]) => a - b)) {
    const inOrder = Array.from({ length: size }, (_, index) => stack.get(index));
    if (inOrder.includes(undefined)) incomplete.push(step);
    else whole.push({ step, photos: inOrder.filter((photo) => photo !== undefined) });
  }
  return { size, whole, incomplete };
}

/** Of two that are as common, the larger. */
function mostCommon(stacks: Iterable<ReadonlyMap<number, string>>): number {
  const counts = new Map<number, number>();
  for (const { size } of stacks) counts.set(size, (counts.get(size) ?? 0) + 1);
  const [size = 0] = [...counts].sort(([a, often], [b, other]) => other - often || b - a)[0] ?? [];
  return size;
}
