import { FakeClock } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { PhotoPayloads } from "./photo-payloads.js";

const MiB = 2 ** 20;
const photo = (length = 3, filename = "photo.jpg") => ({
  bytes: new Uint8Array(length),
  mediaType: "image/jpeg",
  filename,
});

function create() {
  const clock = new FakeClock();
  let ids = 0;
  const payloads = new PhotoPayloads({ clock, newId: () => String(++ids) });
  const isThere = (id: string, camera = "front") => {
    try {
      payloads.find(camera, id);
      return true;
    } catch {
      return false;
    }
  };
  return { clock, payloads, isThere };
}

test("a photo can be fetched again and again for 90 s", async () => {
  const { clock, payloads } = create();
  const first = photo();
  const id = payloads.keep("front", first);
  await clock.advance(89_999);
  expect(payloads.find("front", id)).toBe(first);
  expect(payloads.find("front", id)).toBe(first);
  await clock.advance(1);
  expect(() => payloads.find("front", id)).toThrow(expect.objectContaining({ code: "not_found" }));
});

test("another camera's photo is not found", () => {
  const { payloads } = create();
  const id = payloads.keep("front", photo());
  expect(() => payloads.find("back", id)).toThrow('camera "back" has no photo "1" (any more)');
});

test("of all cameras together eight are kept; those that expire first make room", async () => {
  const { clock, payloads, isThere } = create();
  const ids: string[] = [];
  for (let index = 0; index < 10; index++) {
    ids.push(payloads.keep(index % 2 === 0 ? "front" : "back", photo()));
    await clock.advance(1000);
  }
  const there = ids.filter((id, index) => isThere(id, index % 2 === 0 ? "front" : "back"));
  expect(there).toEqual(ids.slice(2));
});

test("and 256 MiB: as many make room as it takes, and no more", () => {
  const { payloads, isThere } = create();
  const [a, b, c] = [100, 100, 56].map((size) => payloads.keep("front", photo(size * MiB)));
  expect([a, b, c].map((id) => isThere(id!))).toEqual([true, true, true]);
  const d = payloads.keep("front", photo(1));
  expect([a, b, c, d].map((id) => isThere(id!))).toEqual([false, true, true, true]);
  const e = payloads.keep("front", photo(256 * MiB));
  expect([b, c, d, e].map((id) => isThere(id!))).toEqual([false, false, false, true]);
});

test("one that alone is too large is refused, and nothing is forgotten for it", () => {
  const { payloads, isThere } = create();
  const id = payloads.keep("front", photo());
  const huge = { ...photo(), bytes: { length: 256 * MiB + 1 } as Uint8Array };
  expect(() => payloads.keep("front", huge)).toThrow(expect.objectContaining({ code: "storage" }));
  expect(isThere(id)).toBe(true);
});

test("what expired makes room too, and closing leaves no timer", async () => {
  const { clock, payloads, isThere } = create();
  payloads.keep("front", photo(200 * MiB));
  await clock.advance(90_000);
  const ids = [payloads.keep("front", photo(200 * MiB)), payloads.keep("front", photo(56 * MiB))];
  expect(ids.every((id) => isThere(id))).toBe(true);
  payloads.close();
  expect(ids.some((id) => isThere(id))).toBe(false);
  expect(clock.pending).toBe(0);
});
