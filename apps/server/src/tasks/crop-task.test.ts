import { CameraSettings, ScanError } from "@openscan/protocol";
import { FakeClock, recordingLogger } from "@openscan/runtime/testing";
import { TaskManager } from "@openscan/tasks";
import { MemoryTaskStore } from "@openscan/tasks/testing";
import sharp from "sharp";
import { expect, onTestFinished, test } from "vitest";
import { type CropCamera, cropTask } from "./crop-task.js";

/** What the sensor sees: a bright ball in a noisy dark room, nearer to the left and to the bottom. */
const sensor = { width: 1600, height: 1200 };
const ball = { x: 500, y: 800, radius: 250 };

async function sensorPicture(): Promise<Buffer> {
  const { width, height } = sensor;
  const scene = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#181818"/><circle cx="${ball.x}" cy="${ball.y}" r="${ball.radius}" fill="#c8a070"/></svg>`;
  const noise = await sharp({
    create: {
      width,
      height,
      channels: 3,
      background: "black",
      noise: { type: "gaussian", mean: 20, sigma: 6 },
    },
  })
    .png()
    .toBuffer();
  return sharp(Buffer.from(scene))
    .composite([{ input: noise, blend: "add" }])
    .removeAlpha()
    .png()
    .toBuffer();
}

/** A camera that crops as ours do: percent of the sensor's sides, centred. */
function createCamera(changes: Partial<CameraSettings> = {}) {
  let settings = CameraSettings.parse(changes);
  const history: [number | null, number | null][] = [];
  const camera: CropCamera = {
    name: "front",
    settings: {
      get: () => settings,
      replace: async (values) => {
        history.push([values.crop_width, values.crop_height]);
        return (settings = values);
      },
    },
    capture: async () => {
      const [left, top] = [
        Math.round((sensor.width * (settings.crop_width ?? 0)) / 200),
        Math.round((sensor.height * (settings.crop_height ?? 0)) / 200),
      ];
      const bytes = await sharp(await sensorPicture())
        .extract({ left, top, width: sensor.width - 2 * left, height: sensor.height - 2 * top })
        .jpeg()
        .toBuffer();
      return { bytes };
    },
  };
  return { camera, history, settings: () => settings };
}

function createTasks(camera: CropCamera) {
  const kept: Uint8Array[] = [];
  const store = new MemoryTaskStore();
  const tasks = new TaskManager({
    types: [
      cropTask({
        camera: (name) => {
          if (name === camera.name) return camera;
          throw new ScanError("not_found", `camera ${name} does not exist`);
        },
        keep: (_, jpeg) => `picture-${kept.push(jpeg)}`,
      }),
    ],
    store,
    clock: new FakeClock(),
    log: recordingLogger(),
    newId: () => "t1",
  });
  onTestFinished(() => tasks.close());
  return { tasks, store, kept };
}

// The ball's box is 250..750 x 550..1050: margins 250 and 850, 550 and 150; a little less for the blur of its outline.
const tightest = { horizontal: 30, vertical: 24 };

test.each([
  [1, [480, 360]],
  [3, [480, 360]],
  [6, [360, 480]],
  [8, [360, 480]],
])(
  "an object is found whose picture has the orientation %d; the crop is that of the sensor",
  async (orientation_flag, size) => {
    const { camera, settings } = createCamera({ orientation_flag, crop_width: 60, crop_height: 70 });
    const { tasks, store, kept } = createTasks(camera);
    await tasks.create("crop_task", ["front"]);
    const { status, result } = await tasks.ended("t1");
    expect(status).toBe("completed");
    expect(result).toEqual({
      mime: "image/jpeg",
      image_id: "picture-1",
      image_size: size,
      bbox: expect.any(Array) as number[],
      crop_width: expect.any(Number) as number,
      crop_height: expect.any(Number) as number,
    });
    const { crop_width, crop_height } = settings();
    expect(result).toMatchObject({ crop_width, crop_height });
    expect(crop_width).toBeGreaterThanOrEqual(tightest.horizontal);
    expect(crop_width).toBeLessThanOrEqual(31);
    expect(crop_height).toBeGreaterThanOrEqual(tightest.vertical);
    expect(crop_height).toBeLessThanOrEqual(25);
    expect(settings()).toEqual({ ...settings(), orientation_flag, jpeg_quality: 90 });
    const picture = await sharp(kept[0]).metadata();
    expect([picture.format, picture.width, picture.height]).toEqual(["jpeg", ...size]);
    // Defect 19: what every event, list and file repeats is small.
    expect(JSON.stringify(store.writes.at(-1)).length).toBeLessThan(1000);
  },
);

test("the mark is drawn around the ball", async () => {
  const { tasks, kept } = createTasks(createCamera({ orientation_flag: 1 }).camera);
  await tasks.create("crop_task", [], { camera_name: "front", threshold: 30 });
  const { result } = await tasks.ended("t1");
  const [x, y, width, height] = (result as { bbox: number[] }).bbox as [number, number, number, number];
  for (const [found, real] of [
    [x, 75],
    [y, 165],
    [width, 150],
    [height, 150],
  ] as const)
    expect(Math.abs(found - real)).toBeLessThanOrEqual(3);
  const { data, info } = await sharp(kept[0]).raw().toBuffer({ resolveWithObject: true });
  const at = ((y + 1) * info.width + x + 10) * info.channels;
  const [red = 0, green = 0, blue = 0] = data.subarray(at, at + 3);
  expect(green - Math.max(red, blue)).toBeGreaterThan(60);
});

test("a photo that fails, and a cancel, leave the crop as it was", async () => {
  for (const end of ["fail", "cancel"] as const) {
    const { camera, history, settings } = createCamera({ crop_width: null, crop_height: 20 });
    const { tasks, kept } = createTasks({
      ...camera,
      capture: ({ signal }) =>
        end === "fail"
          ? Promise.reject(new ScanError("hardware_fault", "camera front: no photo"))
          : new Promise((_, reject) => {
              signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
              tasks.cancel("t1");
            }),
    });
    await tasks.create("crop_task", ["front"]);
    expect(await tasks.ended("t1")).toMatchObject(
      end === "fail" ? { status: "error", error: "camera front: no photo" } : { status: "cancelled" },
    );
    expect(history).toEqual([
      [0, 0],
      [null, 20],
    ]);
    expect(settings()).toMatchObject({ crop_width: null, crop_height: 20 });
    expect(kept).toEqual([]);
  }
});

test("an unknown camera and a wrong threshold are refused", async () => {
  const { tasks } = createTasks(createCamera().camera);
  await expect(tasks.create("crop_task", ["back"])).rejects.toMatchObject({ code: "not_found" });
  for (const threshold of [-1, 256, 1.5, "x"])
    await expect(tasks.create("crop_task", ["front", threshold])).rejects.toMatchObject({ code: "invalid" });
});
