import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { ScanError } from "@openscan/protocol";
import type { Response } from "express";
import { unlessMissing } from "../projects/folders.js";
import { mediaTypeOf } from "./media-type.js";

/**
 * Sends a file as a download, with its media type and a header-safe name, or the ranges of it that were asked for.
 * Files are replaced under the same name, so a copy is to be used only after asking whether it still is the newest.
 */
export async function sendFile(res: Response, path: string): Promise<void> {
  const name = basename(path);
  const missing = () => new ScanError("not_found", `${name} does not exist`);
  const stats = await unlessMissing(stat(path));
  if (!stats) throw missing();
  res.set({
    "Cache-Control": "no-cache",
    "Content-Type": mediaTypeOf(path),
    // Each replacement is another file, also one of the same size within the same second.
    ETag: `W/"${[stats.ino, stats.size, stats.mtimeMs].map((part) => part.toString(16)).join("-")}"`,
  });
  await new Promise<void>((resolve, reject) => {
    res.download(path, name, { cacheControl: false, dotfiles: "allow" }, (error) => {
      if (!error || res.headersSent) resolve();
      else if ("code" in error && error.code === "ENOENT") reject(missing());
      else reject(error);
    });
  });
}
