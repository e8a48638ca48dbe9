import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import sharp from "sharp";
import { expect, onTestFinished, test } from "vitest";
import { identity, toRows } from "./affine.js";
import { StackingThread, UnusablePhotos } from "./stacking-thread.js";
import { photograph, similarity, texture, writePhotos } from "./testing.js";

const goOn = new AbortController().signal;
const rows = toRows(identity);

async function createThread(script?: string) {
  const folder = await mkdtemp(join(tmpdir(), "openscan-thread-"));
  const file = join(folder, "worker.mjs");
  if (script !== undefined) await writeFile(file, script);
  const thread = script === undefined ? new StackingThread() : new StackingThread(pathToFileURL(file));
  onTestFinished(async () => {
    await thread.close();
    await rm(folder, { recursive: true, force: true });
  });
  return { thread, folder };
}

async function somePhotos(folder: string, width = 120) {
  const size = { width, height: 90 };
  const scene = texture(1);
  const shoot = (transform = identity) => photograph(scene, { ...size, transform, blur: () => 0.6 });
  return writePhotos(folder, [shoot(similarity(size, { shift: [2, 1] })), shoot(), shoot()]);
}

test("aligns and stacks on another thread, of lower priority, and starts again after it was closed", async () => {
  const { thread, folder } = await createThread();
  const files = await somePhotos(folder);
  const [first, middle, last] = await thread.align(files, goOn);
  expect(first?.[0][2]).toBeCloseTo(2, 1);
  expect(first?.[1][2]).toBeCloseTo(1, 1);
  expect(middle).toEqual(rows);
  expect(last?.[0][2]).toBeCloseTo(0, 1);
  await thread.close();
  const jpeg = await thread.stack(files, [rows, rows, rows], goOn);
  expect(await sharp(jpeg).metadata()).toMatchObject({ format: "jpeg", width: 120, height: 90 });
});

test.runIf(process.platform === "linux")("the thread is nicer than this one", async () => {
  const { thread, folder } = await createThread();
  await thread.align(await somePhotos(folder), goOn);
  const nice = async (id: string) =>
    Number(
      (await readFile(`/proc/self/task/${id}/stat`, "utf8").catch(() => "")).split(") ")[1]?.split(" ")[16],
    );
  const all = await Promise.all((await readdir("/proc/self/task")).map(nice));
  expect(all).toContain(10);
  expect(await nice(String(process.pid))).toBe(0);
});

test("photos that cannot be used are told; the thread goes on with others", async () => {
  const { thread, folder } = await createThread();
  const files = await somePhotos(folder);
  const refused = thread.stack([join(folder, "none.png"), ...files.slice(1)], [rows, rows, rows], goOn);
  await expect(refused).rejects.toThrow(UnusablePhotos);
  await expect(thread.stack(files, [rows, rows, rows], goOn)).resolves.toBeInstanceOf(Uint8Array);
});

test("an abort ends the thread before it answers; the next job starts another one", async () => {
  const { thread, folder } = await createThread();
  const files = await somePhotos(folder, 900);
  const abort = new AbortController();
  const stacked = thread.stack(files, [rows, rows, rows], abort.signal);
  abort.abort(new Error("enough"));
  await expect(stacked).rejects.toThrow("enough");
  await expect(thread.align(files, abort.signal)).rejects.toThrow("enough");
  expect(await thread.align(files, goOn)).toHaveLength(3);
});

test("a thread that dies fails its job, and not the process", async () => {
  const { thread } = await createThread(
    `import { parentPort } from "node:worker_threads";
     parentPort.once("message", () => { throw new Error("out of memory, say"); });`,
  );
  await expect(thread.align([], goOn)).rejects.toMatchObject({
    code: "internal",
    message: "focus stacking: its thread ended: out of memory, say",
  });
  await expect(thread.stack([], [], goOn)).rejects.toMatchObject({ code: "internal" });
});
