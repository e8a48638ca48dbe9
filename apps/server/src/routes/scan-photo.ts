import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { getScanPhoto } from "@openscan/protocol";
import type { z } from "zod";
import { metadataName } from "../projects/layout.js";
import { mediaTypeOf } from "./media-type.js";

interface Photo {
  readonly project_name: string;
  readonly scan_index: number;
  readonly filename: string;
  /** Absolute path, checked to lie in the scan's folder. */
  readonly path: string;
}

/** A photo and its metadata as JSON, the bytes in base64. */
export async function photoAsJson({
  path,
  ...address
}: Photo): Promise<z.output<typeof getScanPhoto.response>> {
  const bytes = await readFile(path);
  return {
    ...address,
    content_type: mediaTypeOf(path),
    size_bytes: bytes.length,
    metadata: await metadataOf(path, address.filename),
    photo_data: bytes.toString("base64"),
  };
}

/** Only photos straight in the scan's folder have metadata; other files, and photos that lost theirs, have none. */
async function metadataOf(path: string, filename: string): Promise<Record<string, unknown> | null> {
  try {
    return JSON.parse(await readFile(join(dirname(path), metadataName(filename)), "utf8")) as Record<
      string,
      unknown
    >;
  } catch {
    return null;
  }
}
