import { join, posix } from "node:path";
import { type PoseFormat, type Project, type Scan, ScanError, type ScanPoses } from "@openscan/protocol";
import { isUnfinishedWrite } from "@openscan/runtime/atomic-file";
import { type Placement, poseFiles } from "../poses/pose-files.js";
import { withStackedPhotos } from "../poses/scan-poses.js";
import type { ZipEntry } from "../zip/write-zip.js";
import { toJson } from "./encoding.js";
import { filesBelow } from "./folders.js";
import { metadataName, modelFolder, posesFile, scanFolderName } from "./layout.js";
import { originalPhotos, preferredPhotos, replacedPhotos } from "./preferred-photos.js";

/** A download: its file name, and what is in it. */
export interface Archive {
  readonly name: string;
  /** When the newest file in it was changed. */
  readonly modified: Date;
  readonly entries: Iterable<ZipEntry>;
}

export interface ScanArchiveOptions {
  /** Stacked photos take the place of those that they were made of. */
  readonly preferStacked: boolean;
  /** Adds files for another program that tell where the camera stood. */
  readonly withPoses?: PoseFormat | undefined;
}

export interface ProjectArchiveOptions extends ScanArchiveOptions {
  readonly photosOnly: boolean;
}

/** Where the poses of a project's scans come from. */
export interface PoseSource {
  poses(project: string, index: number): Promise<ScanPoses>;
  /** Those that `poses.json` does not tell of. */
  unsavedPoses(project: string, index: number): Promise<ScanPoses | undefined>;
}

/**
 * Everything of a project, or its photos alone, side by side.
 *
 * @throws ScanError `not_found` when there are to be photos only, and there are none
 */
export async function projectArchive(
  project: Project,
  { photosOnly, ...options }: ProjectArchiveOptions,
  source: PoseSource,
): Promise<Archive> {
  if (photosOnly) return photoArchive(project, options, source);
  const { name, path } = project;
  const { preferStacked } = options;
  const scans = Object.values(project.scans);
  const replaced = new Set(preferStacked ? scans.flatMap(replacedFiles) : []);
  const files = await listFiles(path);
  const told = await scansPoses(scans, options, source);
  const top = preferStacked ? "" : `${name}/`;
  const entries = [...files.filter(({ name }) => !replaced.has(name)), ...told];
  return archive(
    `${name}${preferStacked ? "_stacked_preferred" : ""}.zip`,
    entries.map((entry) => ({ ...entry, name: top + entry.name })),
    project,
  );
}

async function photoArchive(
  { name, path, scans }: Project,
  options: ScanArchiveOptions,
  source: PoseSource,
): Promise<Archive> {
  const photos = new Map(Object.values(scans).flatMap((scan) => flatPhotos(scan, options)));
  const there = (await listFiles(path)).flatMap((file) => {
    const flatName = photos.get(file.name);
    return flatName === undefined ? [] : [{ ...file, name: flatName }];
  });
  if (there.length === 0) throw new ScanError("not_found", `project ${JSON.stringify(name)} has no photos`);
  const poses = await Promise.all(
    Object.values(scans).map((scan) =>
      exportedPoses(scan, options, { source, placement: { photos: "../", flat: true } }),
    ),
  );
  return archive(`${name}_photos.zip`, [...there, ...poses.flat()]);
}

/**
 * The folders of some scans of a project, or of all.
 *
 * @param indices those that are none of a scan are passed over; undefined: all scans
 */
export async function scansArchive(
  project: Project,
  indices: readonly number[] | undefined,
  options: ScanArchiveOptions,
  source: PoseSource,
): Promise<Archive> {
  const wanted = indices && [...new Set(indices)].toSorted((a, b) => a - b);
  const scans = Object.values(project.scans).filter(({ index }) => wanted?.includes(index) ?? true);
  const files: ArchiveFile[] = [];
  for (const scan of scans) {
    const replaced = new Set(options.preferStacked ? replacedFiles(scan) : []);
    const listed = await listFiles(join(project.path, scanFolderName(scan.index)), scanPrefix(scan));
    files.push(...listed.filter(({ name }) => !replaced.has(name)));
  }
  files.push(...(await scansPoses(scans, options, source)));
  return archive(`${project.name}_${scansLabel(wanted)}.zip`, files, project);
}

/** @throws ScanError `not_found` when the project has no model */
export async function modelArchive(project: Project): Promise<Archive> {
  const files = await listFiles(join(project.path, modelFolder), `${modelFolder}/`);
  if (files.length === 0)
    throw new ScanError("not_found", `project ${JSON.stringify(project.name)} has no model`);
  return archive(`${project.name}_model.zip`, files, project);
}

type ArchiveFile = { readonly name: string } & (
  | { readonly path: string; readonly modified: Date }
  | { readonly text: string }
);

/** @param described the project that the archive is to tell of */
function archive(name: string, files: readonly ArchiveFile[], described?: Project): Archive {
  const times = files.map((file) => ("path" in file ? file.modified.getTime() : 0));
  const newest = times.reduce((latest, time) => Math.max(latest, time), 0);
  const modified = new Date(newest || Date.parse(described?.created ?? ""));
  const all = described ? [...files, { name: "project_metadata.json", text: toJson(described) }] : files;
  // A file that is listed and made anew is told as it was made.
  const byName = new Map(all.map((file) => [file.name, file]));
  const entries = [...byName.values()].map((file): ZipEntry => {
    const content = "path" in file ? { path: file.path } : { bytes: file.text, modified };
    return { name: file.name, content };
  });
  return { name, modified, entries };
}

/** Files in and below a folder in the order of their names. */
async function listFiles(folder: string, prefix = ""): Promise<(ArchiveFile & { readonly path: string })[]> {
  return [...(await filesBelow(folder))]
    .filter(([file]) => !file.split("/").some(isUnfinishedWrite))
    .map(([file, { mtime }]) => ({ name: prefix + file, path: join(folder, file), modified: mtime }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** `poses.json` of scans that have none or an old one, and what other programs are to be told. */
async function scansPoses(
  scans: readonly Scan[],
  options: ScanArchiveOptions,
  source: PoseSource,
): Promise<ArchiveFile[]> {
  const files: ArchiveFile[] = [];
  for (const scan of scans) {
    const unsaved = await source.unsavedPoses(scan.project_name, scan.index);
    if (unsaved) files.push({ name: scanPrefix(scan) + posesFile, text: toJson(unsaved) });
    files.push(...(await exportedPoses(scan, options, { source })));
  }
  return files;
}

interface ExportOptions {
  readonly source: PoseSource;
  readonly placement?: Placement;
}

async function exportedPoses(
  scan: Scan,
  { withPoses, preferStacked }: ScanArchiveOptions,
  { source, placement }: ExportOptions,
): Promise<ArchiveFile[]> {
  if (!withPoses || scan.photos.length === 0) return [];
  const poses = await source.poses(scan.project_name, scan.index);
  const files = poseFiles(withPoses, preferStacked ? withStackedPhotos(poses, scan) : poses, placement);
  return files.map(({ name, text }) => ({ name: posix.join(scanPrefix(scan), name), text }));
}

function scanPrefix({ index }: Scan): string {
  return `${scanFolderName(index)}/`;
}

/** Paths relative to the project, and names in an archive that has no folders. */
function flatPhotos(scan: Scan, { preferStacked }: ScanArchiveOptions): [path: string, name: string][] {
  const photos = preferStacked ? preferredPhotos(scan) : originalPhotos(scan);
  return photos.map((photo) => [scanPrefix(scan) + photo, posix.basename(photo)]);
}

/** Relative to the project: the photos of which there is a stacked one, and their metadata. */
function replacedFiles(scan: Scan): string[] {
  return replacedPhotos(scan)
    .flatMap((photo) => [photo, metadataName(photo)])
    .map((file) => scanPrefix(scan) + file);
}

function scansLabel(indices: readonly number[] | undefined): string {
  if (!indices) return "all_scans";
  const [first = 0] = indices;
  return indices.length === 1 ? scanFolderName(first) : `scans_${indices.join("_")}`;
}
