import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Intrinsics,
  PhotoMetadata,
  type PosedPhoto,
  type Scan,
  type ScanPoses,
} from "@openscan/protocol";
import { z } from "zod";
import { metadataName, photoSlot, stackedStep } from "../projects/layout.js";
import { originalPhotos, preferredPhotos } from "../projects/preferred-photos.js";
import { cameraPose, isMirrored } from "./camera-pose.js";
import { knownIntrinsics, readIntrinsics } from "./intrinsics.js";

export interface ScanPosesOptions {
  readonly scan: Scan;
  /** Of the scan. */
  readonly folder: string;
  readonly turntableSign: number;
  readonly generated: string;
}

/** The default of a device that nobody has told how far its camera is from the turntable's centre. */
const RADIUS_UNKNOWN = 1;
/** Metadata files that are read at once. */
const READERS = 16;

const MotorAngles = z.object({ theta: z.number(), fi: z.number() });

/** Where the camera stood for each photo of a scan, as the photos' metadata tells. */
export async function readScanPoses({
  scan,
  folder,
  turntableSign,
  generated,
}: ScanPosesOptions): Promise<ScanPoses> {
  const files = originalPhotos(scan);
  const intrinsicsOf = intrinsicsReader(folder);
  const found: (PosedPhoto | undefined)[] = [];
  const readFrom = async (first: number) => {
    for (let index = first; index < files.length; index += READERS) {
      const file = files[index] as string;
      const metadata = await readMetadata(join(folder, metadataName(file)));
      if (!metadata?.scan_metadata) continue;
      const intrinsics = await intrinsicsOf(file, metadata);
      found[index] = posed(file, metadata, { intrinsics, turntableSign });
    }
  };
  await Promise.all(Array.from({ length: READERS }, (_, reader) => readFrom(reader)));
  const photos = found.filter((photo) => photo !== undefined);
  return {
    version: 1,
    project_name: scan.project_name,
    scan_index: scan.index,
    generated,
    units: "mm",
    turntable_sign: turntableSign,
    warnings: warningsOf(photos, files.length),
    photos,
  };
}

/** The same with stacked photos in place of those that they were made of: they show what the middle one of a stack does. */
export function withStackedPhotos(poses: ScanPoses, scan: Scan): ScanPoses {
  const byFile = new Map(poses.photos.map((photo) => [photo.file, photo]));
  const photos = preferredPhotos(scan).flatMap((file) => {
    const step = stackedStep(file);
    if (step === undefined) return byFile.get(file) ?? [];
    const stack = poses.photos.filter((photo) => photo.step === step);
    const middle = stack.toSorted((a, b) => (a.stack_index ?? 0) - (b.stack_index ?? 0))[stack.length >> 1];
    return middle ? { ...middle, file, stack_index: null } : [];
  });
  return { ...poses, photos };
}

async function readMetadata(path: string): Promise<PhotoMetadata | undefined> {
  try {
    return PhotoMetadata.safeParse(JSON.parse(await readFile(path, "utf8"))).data;
  } catch {
    return undefined;
  }
}

interface Surroundings {
  readonly intrinsics: Intrinsics | undefined;
  readonly turntableSign: number;
}

function posed(
  file: string,
  { camera_metadata, scan_metadata }: PhotoMetadata,
  { intrinsics, turntableSign }: Surroundings,
): PosedPhoto | undefined {
  if (!scan_metadata) return undefined;
  const { step, stack_index, polar_coordinates: planned } = scan_metadata;
  const { data: actual } = MotorAngles.safeParse(camera_metadata.raw_metadata["actual_position"]);
  const { theta, fi } = actual ?? planned;
  const orientation_flag = camera_metadata.camera_settings.orientation_flag ?? 1;
  const { R, C } = cameraPose({ theta, fi: turntableSign * fi, r: planned.r }, orientation_flag);
  return {
    file,
    step,
    stack_index: stack_index ?? photoSlot(file)?.stack ?? null,
    theta,
    fi,
    r: planned.r,
    measured: actual !== undefined,
    rotation: [[...R[0]], [...R[1]], [...R[2]]],
    position: [...C],
    intrinsics: intrinsics ?? null,
    orientation_flag,
  };
}

/** Photos of one camera with one crop are of one size and focal length, so that few files are looked into. */
function intrinsicsReader(folder: string) {
  const read = new Map<string, Promise<Intrinsics | undefined>>();
  return (file: string, { format, camera_metadata }: PhotoMetadata) => {
    const { camera_name, raw_metadata, camera_settings } = camera_metadata;
    const known = knownIntrinsics(raw_metadata);
    if (known) return known;
    const { crop_width, crop_height, photo_resolution } = camera_settings;
    const key = JSON.stringify([format, camera_name, crop_width, crop_height, photo_resolution]);
    const intrinsics = read.get(key) ?? readIntrinsics(join(folder, file));
    read.set(key, intrinsics);
    return intrinsics;
  };
}

function warningsOf(photos: readonly PosedPhoto[], count: number): string[] {
  const number = (concerns: (photo: PosedPhoto) => boolean) => photos.filter(concerns).length;
  const says: readonly (readonly [count: number, text: string])[] = [
    [
      number(({ r }) => r === RADIUS_UNKNOWN),
      "scan_radius_mm of the device is 1, its default: directions are right, distances are not in mm",
    ],
    [count - photos.length, "photos have no pose, because their metadata is missing"],
    [
      number(({ measured }) => !measured),
      "photos have the angles that were asked for: those of the motors were not recorded",
    ],
    [
      number(({ intrinsics }) => intrinsics === null),
      "photos have no known size, and are left out where it is needed",
    ],
    [
      number(({ intrinsics }) => intrinsics?.source === "guess"),
      "photos have a guessed focal length: let the program find the right one",
    ],
    [
      number(({ orientation_flag }) => isMirrored(orientation_flag)),
      "photos are mirrored by their orientation flag, which is not taken into account",
    ],
  ];
  return says
    .filter(([concerned]) => concerned > 0)
    .map(([concerned, text]) => `${concerned} of ${count}: ${text}`);
}
