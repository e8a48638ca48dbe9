import type { Plane } from "./box-blur.js";
import type { Frame } from "./camera-model.js";
import type { GeometryBuffer } from "./geometry.js";

/** A part of the frame, in its pixels, with one plane per colour. */
export interface Layer {
  readonly x: number;
  readonly y: number;
  readonly planes: readonly Plane[];
}

/** Scales the planes around the optical axis, as a lens does that moves to focus. */
export function breathe(planes: readonly Plane[], part: GeometryBuffer, frame: Frame, scale: number): Layer {
  if (scale === 1) return { x: part.x, y: part.y, planes };

  const across = grow(part.x, part.width, frame.cx, scale, frame.width);
  const down = grow(part.y, part.height, frame.cy, scale, frame.height);
  const columns = sources(across, part.x, frame.cx, scale);
  const rows = sources(down, part.y, frame.cy, scale);
  return { x: across.first, y: down.first, planes: planes.map((plane) => resample(plane, columns, rows)) };
}

interface Range {
  readonly first: number;
  readonly count: number;
}

/** Where a range of pixels ends up, one pixel more on each side for the interpolation. */
function grow(first: number, count: number, centre: number, scale: number, limit: number): Range {
  const start = Math.max(0, Math.floor((first - centre) * scale + centre) - 1);
  const end = Math.min(limit, Math.ceil((first + count - centre) * scale + centre) + 1);
  return { first: start, count: Math.max(0, end - start) };
}

/** Position within the plane, in pixels from the middle of its first, that each new pixel shows. */
function sources({ first, count }: Range, planeFirst: number, centre: number, scale: number): Float64Array {
  return Float64Array.from(
    { length: count },
    (_, index) => (first + index + 0.5 - centre) / scale + centre - 0.5 - planeFirst,
  );
}

function resample({ width, height, values }: Plane, columns: Float64Array, rows: Float64Array): Plane {
  const result = new Float32Array(columns.length * rows.length);
  const at = (x: number, y: number) =>
    x < 0 || y < 0 || x >= width || y >= height ? 0 : (values[y * width + x] as number);
  let pixel = 0;
  for (const row of rows) {
    const y = Math.floor(row);
    const partY = row - y;
    for (const column of columns) {
      const x = Math.floor(column);
      const partX = column - x;
      const upper = at(x, y) * (1 - partX) + at(x + 1, y) * partX;
      const lower = at(x, y + 1) * (1 - partX) + at(x + 1, y + 1) * partX;
      result[pixel++] = upper * (1 - partY) + lower * partY;
    }
  }
  return { width: columns.length, height: rows.length, values: result };
}
