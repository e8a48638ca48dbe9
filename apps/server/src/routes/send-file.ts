import { basename, dirname } from "node:path";
import { ScanError } from "@openscan/protocol";
import type { Response } from "express";

/** Sends a file as a download, with its media type, ranges and a header-safe name. */
export function sendFile(res: Response, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    res.attachment(basename(path));
    res.sendFile(basename(path), { root: dirname(path), cacheControl: false, dotfiles: "allow" }, (error) => {
      if (!error || res.headersSent) resolve();
      else if ("code" in error && error.code === "ENOENT")
        reject(new ScanError("not_found", `${basename(path)} does not exist`));
      else reject(error);
    });
  });
}
