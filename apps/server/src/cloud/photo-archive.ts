import { createReadStream, createWriteStream, type ReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Project, ScanError } from "@openscan/protocol";
import { ZipFile } from "yazl";
import { hasCode, reason } from "../projects/folders.js";
import { scanFolderName, stackedFolder } from "../projects/layout.js";

/** A photo and its name in an archive without folders. */
export interface ArchivedPhoto {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** JPEGs hardly shrink; more effort would only keep a core busy. */
const compressionLevel = 1;

/**
 * The photos of a project that a model is made of: JPEGs, and where a scan has stacked ones only these.
 *
 * @param find the file of a photo
 */
export async function photosToUpload(
  project: Project,
  find: (scan: number, photo: string) => Promise<string>,
): Promise<ArchivedPhoto[]> {
  const photos: ArchivedPhoto[] = [];
  const names = new Set<string>();
  for (const { index, photos: all } of Object.values(project.scans)) {
    const jpegs = all.filter((photo) => /\.jpe?g$/i.test(photo));
    const stacked = jpegs.filter((photo) => photo.startsWith(`${stackedFolder}/`));
    for (const photo of (stacked.length > 0 ? stacked : jpegs).toSorted()) {
      const path = await find(index, photo);
      const { size, mtimeMs } = await stat(path);
      const whole = `${scanFolderName(index)}/${photo}`.replaceAll(/[/\\]/g, "_");
      const name = names.has(basename(path)) ? whole : basename(path);
      if (names.has(name)) throw new ScanError("conflict", `two photos would have the name ${name}`);
      names.add(name);
      photos.push({ name, path, bytes: size, modifiedMs: mtimeMs });
    }
  }
  return photos;
}

/** What an archive of these photos needs at most: data that does not shrink grows by five bytes in 16 KiB. */
export function archiveBytesAtMost(photos: readonly ArchivedPhoto[]): number {
  const data = photos.reduce((sum, { bytes }) => sum + bytes + Math.ceil(bytes / 3000), 0);
  return data + photos.length * 1024 + 1024;
}

/**
 * Writes an archive of photos.
 *
 * @param onPhoto called when the photo with this index is begun
 * @throws ScanError `storage`, or the reason of the signal
 */
export async function writePhotoArchive(
  file: string,
  photos: readonly ArchivedPhoto[],
  options: {
    readonly signal: AbortSignal;
    readonly pass: () => Promise<void>;
    readonly onPhoto: (index: number) => void;
  },
): Promise<void> {
  const { signal, pass, onPhoto } = options;
  const zip = new ZipFile();
  const pausing = new Transform({
    transform(chunk, _, done) {
      pass().then(() => done(null, chunk), done);
    },
  });
  const written = pipeline(zip.outputStream, pausing, createWriteStream(file, { mode: 0o600 }), { signal });
  zip.on("error", (error: Error) => pausing.destroy(error));
  let reading: ReadStream | undefined;
  for (const [index, { name, path, modifiedMs }] of photos.entries()) {
    const entry = { mtime: new Date(modifiedMs), mode: 0o100644, compressionLevel };
    zip.addReadStreamLazy(name, entry, (begin) => {
      onPhoto(index);
      reading = createReadStream(path).once("error", (error) => pausing.destroy(error));
      begin(null, reading);
    });
  }
  zip.end();
  try {
    await written;
  } catch (cause) {
    signal.throwIfAborted();
    if (hasCode(cause, "ENOSPC"))
      throw new ScanError("storage", `the disk is full: ${file} could not be written`, { cause });
    throw new ScanError("storage", `the photos could not be packed: ${reason(cause)}`, { cause });
  } finally {
    reading?.destroy();
  }
}
