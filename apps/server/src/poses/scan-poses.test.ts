import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CameraSettings, type PhotoMetadata, type Scan, ScanPoses, ScanSettings } from "@openscan/protocol";
import sharp from "sharp";
import { expect, test } from "vitest";
import { metadataName, photoSlot } from "../projects/layout.js";
import { temporaryFolder } from "../tasks/testing.js";
import { readScanPoses, withStackedPhotos } from "./scan-poses.js";

const generated = "2026-01-01T00:00:00.000Z";

function scanOf(photos: string[]): Scan {
  return {
    project_name: "Vase",
    index: 1,
    created: generated,
    status: "completed",
    settings: ScanSettings.parse({}),
    camera_name: "front",
    camera_settings: CameraSettings.parse({}),
    current_step: 0,
    system_message: null,
    last_updated: generated,
    description: null,
    duration: 0,
    total_size_bytes: 0,
    stacked_size_bytes: 0,
    photos,
    task_id: null,
    stacking_task_status: null,
  };
}

interface Shot {
  readonly rawMetadata?: Record<string, unknown>;
  readonly orientation?: number | null;
  readonly r?: number;
  readonly bytes?: Uint8Array;
}

const lens = { FocalLengthPixels: 700, PrincipalPoint: [320, 230], ImageSize: [640, 480] };

/** Asked for: theta 60 + step, fi 10 * step. */
async function storedScan(shots: Record<string, Shot>) {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "metadata"));
  for (const [file, { rawMetadata = lens, orientation = 1, r = 110, bytes }] of Object.entries(shots)) {
    const slot = photoSlot(file);
    const metadata: PhotoMetadata = {
      format: "jpeg",
      camera_metadata: {
        camera_name: "front",
        camera_settings: CameraSettings.parse({ orientation_flag: orientation }),
        raw_metadata: rawMetadata,
      },
      scan_metadata: {
        step: slot?.step ?? 0,
        polar_coordinates: { theta: 60 + (slot?.step ?? 0), fi: 10 * (slot?.step ?? 0), r },
        project_name: "Vase",
        scan_index: 1,
        stack_index: slot?.stack ?? null,
        cart_coordinates: { x: 0, y: 0, z: 0 },
      },
    };
    await writeFile(join(folder, metadataName(file)), JSON.stringify(metadata));
    await writeFile(join(folder, file), bytes ?? "no image");
  }
  const read = (photos = Object.keys(shots), turntableSign = 1) =>
    readScanPoses({ scan: scanOf(photos), folder, turntableSign, generated });
  return { folder, read };
}

test("a pose is of the angles at which the motors stood, and of the camera's own lens", async () => {
  const { read } = await storedScan({
    "scan01_000.jpg": { rawMetadata: { ...lens, actual_position: { theta: 90, fi: 270.5 } } },
    "scan01_001.jpg": {},
  });
  const poses = await read();
  expect(ScanPoses.parse(poses)).toEqual(poses);
  expect(poses.photos.map(({ file, theta, fi, r, measured }) => [file, theta, fi, r, measured])).toEqual([
    ["scan01_000.jpg", 90, 270.5, 110, true],
    ["scan01_001.jpg", 61, 10, 110, false],
  ]);
  expect(poses.photos[0]?.intrinsics).toEqual({
    width: 640,
    height: 480,
    fx: 700,
    fy: 700,
    cx: 320,
    cy: 230,
    source: "camera",
  });
  const [x, y, z] = poses.photos[0]?.position ?? [];
  expect(Math.atan2(y ?? 0, x ?? 0)).toBeCloseTo((-89.5 * Math.PI) / 180, 9);
  expect(z).toBeCloseTo(0, 9);
  expect(poses.warnings).toEqual([
    "1 of 2: photos have the angles that were asked for: those of the motors were not recorded",
  ]);
});

test("a turntable that turns the other way mirrors the azimuth, and says so", async () => {
  const { read } = await storedScan({ "scan01_003.jpg": {} });
  const [plus, minus] = [await read(undefined, 1), await read(undefined, -1)];
  const [x, y, z] = plus.photos[0]?.position ?? [];
  expect(minus.photos[0]?.position).toEqual(
    [x, -(y ?? 0), z].map((value) => expect.closeTo(value ?? 0, 9) as number),
  );
  expect([plus.turntable_sign, minus.turntable_sign]).toEqual([1, -1]);
  expect(minus.photos[0]?.fi).toBe(30);
});

test("what is not as it should be is told", async () => {
  const { read, folder } = await storedScan({
    "scan01_000.jpg": { r: 1 },
    "scan01_001.jpg": { r: 1, orientation: 5 },
    "scan01_002.jpg": { r: 1, rawMetadata: {} },
  });
  await writeFile(join(folder, "metadata/scan01_003.json"), "{ broken");
  const { warnings, photos } = await read([
    "scan01_000.jpg",
    "scan01_001.jpg",
    "scan01_002.jpg",
    "scan01_003.jpg",
  ]);
  expect(photos).toHaveLength(3);
  expect(warnings).toEqual([
    expect.stringMatching(/^3 of 4: scan_radius_mm of the device is 1, its default/),
    "1 of 4: photos have no pose, because their metadata is missing",
    expect.stringMatching(/^3 of 4: photos have the angles that were asked for/),
    expect.stringMatching(/^1 of 4: photos have no known size/),
    expect.stringMatching(/^1 of 4: photos are mirrored/),
  ]);
});

const picture = (exif: Record<string, string>) =>
  sharp({ create: { width: 400, height: 300, channels: 3, background: "grey" } })
    .jpeg()
    .withExif({ IFD2: exif })
    .toBuffer();

test("a camera that says nothing of its lens: EXIF tells, or a usual focal length is taken", async () => {
  const told = await storedScan({
    "scan01_000.jpg": { rawMetadata: {}, bytes: await picture({ FocalLengthIn35mmFilm: "27" }) },
  });
  expect((await told.read()).photos[0]?.intrinsics).toEqual({
    width: 400,
    height: 300,
    fx: 300,
    fy: 300,
    cx: 200,
    cy: 150,
    source: "exif",
  });
  const silent = await storedScan({ "scan01_000.jpg": { rawMetadata: {}, bytes: await picture({}) } });
  const poses = await silent.read();
  expect(poses.photos[0]?.intrinsics).toMatchObject({ fx: 480, source: "guess" });
  expect(poses.warnings.join()).toContain("guessed focal length");
});

test("a stacked photo has the pose of the middle one of those that it was made of", async () => {
  const files = [0, 1].flatMap((step) => [0, 1, 2].map((stack) => `scan01_00${step}_fs0${stack}.jpg`));
  const shots = files.map((file, index) => [
    file,
    { rawMetadata: { ...lens, FocalLengthPixels: 700 + index, actual_position: { theta: 60, fi: index } } },
  ]);
  const { read } = await storedScan(Object.fromEntries(shots) as Record<string, Shot>);
  const stacked = "stacked/stacked_scan01_001.jpg";
  const poses = await read([...files, stacked]);
  expect(poses.photos.map(({ file }) => file)).toEqual(files);
  const preferred = withStackedPhotos(poses, scanOf([...files, stacked]));
  expect(preferred.photos.map(({ file }) => file)).toEqual([...files.slice(0, 3), stacked]);
  expect(preferred.photos.at(-1)).toMatchObject({
    fi: 4,
    step: 1,
    stack_index: null,
    intrinsics: { fx: 704 },
  });
});

test("999 photos are read in the order in which they were taken", async () => {
  const files = Array.from({ length: 999 }, (_, step) => `scan01_${String(998 - step).padStart(3, "0")}.jpg`);
  const { read } = await storedScan(Object.fromEntries(files.map((file) => [file, {}])));
  expect((await read()).photos.map(({ file }) => file)).toEqual(files);
});
