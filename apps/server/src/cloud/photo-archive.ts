import { type FileHandle, open, stat } from "node:fs/promises";
import { basename } from "node:path";
import { type Project, ScanError } from "@openscan/protocol";
import { hasCode, reason } from "../projects/folders.js";
import { scanFolderName, stackedFolder } from "../projects/layout.js";
import { type ZipEntry, writeZip } from "../zip/write-zip.js";

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
  const entries = function* (): Generator<ZipEntry> {
    for (const [index, { name, path }] of photos.entries()) {
      onPhoto(index);
      yield { name, content: { path, level: compressionLevel } };
    }
  };
  try {
    const archive = await open(file, "w", 0o600);
    try {
      let end = 0;
      // Blocks may be written at the same time: each has its place.
      await writeZip(entries(), async (bytes) => {
        const start = end;
        end += bytes.length;
        signal.throwIfAborted();
        await pass();
        await writeAt(archive, bytes, start);
      });
    } finally {
      await archive.close();
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (hasCode(cause, "ENOSPC"))
      throw new ScanError("storage", `the disk is full: ${file} could not be written`, { cause });
    throw new ScanError("storage", `the photos could not be packed: ${reason(cause)}`, { cause });
  }
}

async function writeAt(file: FileHandle, bytes: Uint8Array, start: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done, start + done)).bytesWritten;
}
