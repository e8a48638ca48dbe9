import { around, canny, type GreyImage } from "./canny.js";

/** Pixels from the top left corner. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Contours whose box has a shorter diagonal, as a part of the picture's, are specks: noise or dust. */
const SPECK = 0.03;

/** Percent that may be cut off: of a speck that was taken for the object something should remain to look at. */
const MOST = 95;

/**
 * The box around everything that has edges, hence around the object before a plain background; the whole picture when
 * nothing has.
 *
 * @param threshold of Canny's weak edges; that of the strong ones is twice as high
 */
export function findObject(image: GreyImage, threshold: number): Box {
  const { width, height } = image;
  const edges = canny(image, threshold, 2 * threshold);
  const diagonal = SPECK * Math.hypot(width, height);
  const boxes = contourBoxes(edges, width).filter((box) => Math.hypot(box.width, box.height) >= diagonal);
  if (boxes.length === 0) return { x: 0, y: 0, width, height };
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  const right = Math.max(...boxes.map((box) => box.x + box.width));
  const bottom = Math.max(...boxes.map((box) => box.y + box.height));
  return { x, y, width: right - x, height: bottom - y };
}

/** What a centred crop may cut off without touching the box: whole percent of the width and of the height. */
export function cropAround(box: Box, picture: { readonly width: number; readonly height: number }) {
  const percent = (start: number, length: number, whole: number) =>
    Math.min(MOST, Math.floor((200 * Math.min(start, whole - start - length)) / whole));
  return {
    horizontal: percent(box.x, box.width, picture.width),
    vertical: percent(box.y, box.height, picture.height),
  };
}

/** The boxes of all connected edges. Clears `edges`. */
function contourBoxes(edges: Uint8Array, width: number): Box[] {
  const boxes: Box[] = [];
  for (let start = edges.indexOf(1); start >= 0; start = edges.indexOf(1, start + 1)) {
    let [left, right, top, bottom] = [width, 0, edges.length, 0];
    const waiting = [start];
    edges[start] = 0;
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      const x = at % width;
      const y = (at - x) / width;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
      for (const step of around(width)) {
        if (edges[at + step] !== 1) continue;
        edges[at + step] = 0;
        waiting.push(at + step);
      }
    }
    boxes.push({ x: left, y: top, width: right - left + 1, height: bottom - top + 1 });
  }
  return boxes;
}
