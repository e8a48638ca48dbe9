import { expect, onTestFinished, test } from "vitest";
import { type QrPicture, qrPicture } from "../../test/support/qr-picture.js";
import { QrReader } from "./qr-reader.js";

const text = "WIFI:T:WPA;S:Café 東京;P:correct horse battery;H:true;;";

function openReader(): QrReader {
  const reader = new QrReader();
  onTestFinished(() => reader.close());
  return reader;
}

test.each<[string, Omit<QrPicture, "text">]>([
  ["straight", {}],
  ["small in a small frame", { size: 120, frame: [320, 240] }],
  ["in a frame of 4056 x 3040", { size: 900, frame: [4056, 3040] }],
  ["turned by 17 degrees", { degrees: 17 }],
  ["turned by 45 degrees", { degrees: 45 }],
  ["turned by 90 degrees", { degrees: 90 }],
  ["upside down", { degrees: 180 }],
  ["mirrored", { mirrored: true }],
  ["inverted", { inverted: true }],
  ["held askew", { shear: 0.25, degrees: 10 }],
  ["blurred", { blur: 2.2 }],
  ["noisy", { noise: 45 }],
  ["of little contrast", { contrast: 0.2 }],
  [
    "blurred, noisy, turned and pale at once",
    { blur: 1.5, noise: 15, degrees: 31, contrast: 0.5, shear: 0.1 },
  ],
])("a code is read that is %s", async (_, how) => {
  expect(await openReader().read(await qrPicture({ text, ...how }))).toEqual([text]);
});

test("a picture without a code, or with one that nobody can make out, has no texts", async () => {
  const reader = openReader();
  expect(await reader.read(await qrPicture({ text, size: 140, blur: 12 }))).toEqual([]);
  expect(await reader.read(await qrPicture({ text, size: 100, contrast: 0 }))).toEqual([]);
});

test("what is no picture is an error of that picture alone", async () => {
  const reader = openReader();
  const [bad, good] = await Promise.allSettled([
    reader.read(new TextEncoder().encode("no picture")),
    reader.read(await qrPicture({ text })),
  ]);
  expect(bad).toMatchObject({ status: "rejected", reason: { code: "internal" } });
  expect(good).toEqual({ status: "fulfilled", value: [text] });
});

test("a reader that is closed gives up what it was asked for, and takes nothing more", async () => {
  const reader = new QrReader();
  const asked = reader.read(await qrPicture({ text, frame: [4000, 3000] }));
  const outcome = expect(asked).rejects.toMatchObject({ code: "internal" });
  await reader.close();
  await outcome;
  await expect(reader.read(await qrPicture({ text }))).rejects.toMatchObject({ code: "internal" });
});
