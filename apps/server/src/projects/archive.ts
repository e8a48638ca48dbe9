import { join } from "node:path";
import { type Project, type Scan, ScanError } from "@openscan/protocol";
import { isUnfinishedWrite } from "@openscan/runtime/atomic-file";
import type { ZipEntry } from "../zip/write-zip.js";
import { toJson } from "./encoding.js";
import { filesBelow } from "./folders.js";
import { metadataName, modelFolder, scanFolderName } from "./layout.js";
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
}

export interface ProjectArchiveOptions extends ScanArchiveOptions {
  readonly photosOnly: boolean;
}

/**
 * Everything of a project, or its photos alone, side by side.
 *
 * @throws ScanError `not_found` when there are to be photos only, and there are none
 */
export async function projectArchive(
  project: Project,
  { photosOnly, preferStacked }: ProjectArchiveOptions,
): Promise<Archive> {
  const found = new Map(await listFiles(project.path));
  const { name, scans } = project;
  if (photosOnly) {
    const photos = Object.values(scans).flatMap((scan) => flatPhotos(scan, preferStacked));
    const there = photos.flatMap(({ name, path }) => {
      const modified = found.get(path);
      return modified ? [{ name, modified, path: join(project.path, path) }] : [];
    });
    if (there.length === 0) throw new ScanError("not_found", `project ${JSON.stringify(name)} has no photos`);
    return archive(`${name}_photos.zip`, there);
  }
  const replaced = new Set(preferStacked ? Object.values(scans).flatMap(replacedFiles) : []);
  const top = preferStacked ? "" : `${name}/`;
  const files = [...found]
    .filter(([file]) => !replaced.has(file))
    .map(([file, modified]) => ({ name: top + file, modified, path: join(project.path, file) }));
  return archive(`${name}${preferStacked ? "_stacked_preferred" : ""}.zip`, files, project);
}

/**
 * The folders of some scans of a project, or of all.
 *
 * @param indices those that are none of a scan are passed over; undefined: all scans
 */
export async function scansArchive(
  project: Project,
  indices: readonly number[] | undefined,
  { preferStacked }: ScanArchiveOptions,
): Promise<Archive> {
  const wanted = indices && [...new Set(indices)].toSorted((a, b) => a - b);
  const scans = Object.values(project.scans).filter(({ index }) => wanted?.includes(index) ?? true);
  const files = [];
  for (const scan of scans) {
    const folder = scanFolderName(scan.index);
    const replaced = new Set(preferStacked ? replacedFiles(scan) : []);
    for (const [file, modified] of await listFiles(join(project.path, folder))) {
      const name = `${folder}/${file}`;
      if (!replaced.has(name)) files.push({ name, modified, path: join(project.path, name) });
    }
  }
  return archive(`${project.name}_${scansLabel(wanted)}.zip`, files, project);
}

/** @throws ScanError `not_found` when the project has no model */
export async function modelArchive(project: Project): Promise<Archive> {
  const folder = join(project.path, modelFolder);
  const files = [...(await listFiles(folder))].map(([file, modified]) => ({
    name: `${modelFolder}/${file}`,
    modified,
    path: join(folder, file),
  }));
  if (files.length === 0)
    throw new ScanError("not_found", `project ${JSON.stringify(project.name)} has no model`);
  return archive(`${project.name}_model.zip`, files, project);
}

interface ArchiveFile {
  readonly name: string;
  readonly modified: Date;
  readonly path: string;
}

/** @param described the project that the archive is to tell of */
function archive(name: string, files: readonly ArchiveFile[], described?: Project): Archive {
  const newest = files.reduce((latest, { modified }) => Math.max(latest, modified.getTime()), 0);
  const modified = new Date(newest || Date.parse(described?.created ?? ""));
  const entries: ZipEntry[] = files.map(({ name, path }) => ({ name, content: { path } }));
  if (described)
    entries.push({ name: "project_metadata.json", content: { bytes: toJson(described), modified } });
  return { name, modified, entries };
}

/** Files in and below a folder in the order of their names, and when they were changed. */
async function listFiles(folder: string): Promise<(readonly [file: string, modified: Date])[]> {
  return [...(await filesBelow(folder))]
    .filter(([file]) => !file.split("/").some(isUnfinishedWrite))
    .map(([file, { mtime }]) => [file, mtime] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** Names in the archive, and paths relative to the project. */
function flatPhotos(scan: Scan, preferStacked: boolean): { name: string; path: string }[] {
  const photos = preferStacked ? preferredPhotos(scan) : originalPhotos(scan);
  return photos.map((photo) => ({
    name: photo.slice(photo.lastIndexOf("/") + 1),
    path: `${scanFolderName(scan.index)}/${photo}`,
  }));
}

/** Relative to the project: the photos of which there is a stacked one, and their metadata. */
function replacedFiles(scan: Scan): string[] {
  return replacedPhotos(scan)
    .flatMap((photo) => [photo, metadataName(photo)])
    .map((file) => `${scanFolderName(scan.index)}/${file}`);
}

function scansLabel(indices: readonly number[] | undefined): string {
  if (!indices) return "all_scans";
  const [first = 0] = indices;
  return indices.length === 1 ? scanFolderName(first) : `scans_${indices.join("_")}`;
}
