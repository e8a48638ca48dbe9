import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { FakeClock, recordingLogger, settle } from "@openscan/runtime/testing";
import sharp from "sharp";
import { expect, onTestFinished, test } from "vitest";
import { laplacianVariance } from "./sharpness.js";
import { SharpnessMeter } from "./sharpness-meter.js";

/** On a clock that stands still: how fast this machine is does not matter. */
async function create({ script, clock = new FakeClock() }: { script?: string; clock?: FakeClock } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "openscan-sharpness-"));
  const log = recordingLogger();
  const worker = join(folder, "worker.mjs");
  if (script !== undefined) await writeFile(worker, script);
  const meter = new SharpnessMeter({
    clock,
    log,
    ...(script !== undefined && { script: pathToFileURL(worker) }),
  });
  onTestFinished(async () => {
    await meter.close();
    await rm(folder, { recursive: true, force: true });
  });
  /** A photo of stripes, blurred. */
  const photo = async (name: string, { sigma = 0, width = 640 } = {}) => {
    const height = (width * 3) / 4;
    const values = Uint8Array.from({ length: width * height }, (_, index) =>
      Math.floor((index % width) / (width / 40)) % 2 === 0 ? 60 : 180,
    );
    const image = sharp(values, { raw: { width, height, channels: 1 } });
    const file = join(folder, name);
    await (sigma > 0 ? image.blur(sigma) : image).jpeg({ quality: 95 }).toFile(file);
    return file;
  };
  return { meter, log, photo, folder };
}

test("photos are measured in the order of asking; a sharper one has the larger figure", async () => {
  const { meter, photo } = await create();
  const files = await Promise.all([0, 1, 3].map((sigma) => photo(`${sigma}.jpg`, { sigma })));
  const figures = (await Promise.all(files.map((file) => meter.measure(file)))) as number[];
  expect(figures[0]).toBeGreaterThan(2 * figures[1]!);
  expect(figures[1]).toBeGreaterThan(2 * figures[2]!);
  const { data, info } = await sharp(files[0]).raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  expect(figures[0]).toBeCloseTo(laplacianVariance({ width, height, channels, values: data }), 6);
});

test("a large photo is measured at 1024 pixels: nearly as a smaller one of the same", async () => {
  const { meter, photo } = await create();
  const large = (await meter.measure(await photo("large.jpg", { width: 4096 }))) as number;
  const small = (await meter.measure(await photo("small.jpg", { width: 1024 }))) as number;
  expect(large / small).toBeGreaterThan(0.4);
  expect(large / small).toBeLessThan(2.5);
});

test("a photo that was taken again is measured again", async () => {
  const { meter, photo } = await create();
  const first = await meter.measure(await photo("a.jpg"));
  expect(await meter.measure(await photo("a.jpg", { sigma: 3 }))).toBeLessThan(0.5 * (first ?? 0));
});

test("what is no JPEG, not there or torn is not measured, and the next one is", async () => {
  const { meter, log, photo, folder } = await create();
  const good = await photo("good.jpeg");
  await writeFile(join(folder, "torn.jpg"), "no picture");
  await writeFile(join(folder, "array.npy"), "");
  expect(await meter.measure(join(folder, "array.npy"))).toBeNull();
  expect(await meter.measure(join(folder, "gone.jpg"))).toBeNull();
  expect(await meter.measure(join(folder, "torn.jpg"))).toBeNull();
  expect(log.lines.map(({ level }) => level)).toEqual(["warn", "warn"]);
  expect(await meter.measure(good)).toBeGreaterThan(0);
});

test("when it is behind, further photos are not measured, at once; those that wait are", async () => {
  const { meter, photo } = await create();
  const file = await photo("a.jpg");
  const order: (number | null)[] = [];
  const five = [1, 2, 3, 4, 5].map((index) =>
    meter.measure(file).then((figure) => order.push(figure === null ? -index : index)),
  );
  await Promise.all(five);
  expect(order).toEqual([-4, -5, 1, 2, 3]);
  expect(await meter.measure(file)).toBeGreaterThan(0);
});

test("nobody waits for longer than a second, and a thread that hangs is replaced", async () => {
  const clock = new FakeClock();
  const { meter, log, photo } = await create({
    clock,
    script: `
      import { parentPort } from "node:worker_threads";
      parentPort.on("message", ({ width }) => {
        if (width === 320) for (;;);
        parentPort.postMessage(width);
      });`,
  });
  const hanging = meter.measure(await photo("a.jpg", { width: 320 }));
  const waiting = meter.measure(await photo("b.jpg"));
  while (clock.pending < 3) await settle();
  await clock.advance(1000);
  expect([await hanging, await waiting]).toEqual([null, null]);
  while (log.lines.length === 0) await settle();
  expect(await meter.measure(await photo("c.jpg", { width: 480 }))).toBe(480);
  expect(clock.pending).toBe(0);
});

test("a thread that dies is told, and the next photo starts another", async () => {
  const { meter, log, photo } = await create({
    script: `
      import { parentPort } from "node:worker_threads";
      parentPort.on("message", ({ width }) => {
        if (width === 320) process.exit(7);
        if (width === 240) throw new Error("out of memory");
        parentPort.postMessage(width);
      });`,
  });
  for (const [width, figure] of [
    [320, null],
    [640, 640],
    [240, null],
    [480, 480],
  ] as const)
    expect(await meter.measure(await photo(`${width}.jpg`, { width }))).toBe(figure);
  expect(log.lines).toHaveLength(2);
});

test("closed, it measures nothing, and what waited is not measured", async () => {
  const { meter, photo } = await create();
  const file = await photo("a.jpg");
  const waiting = [meter.measure(file), meter.measure(file)];
  await meter.close();
  expect(await Promise.all(waiting)).toEqual([null, null]);
  expect(await meter.measure(file)).toBeNull();
});
