import { basename } from "node:path";
import { ScanError } from "@openscan/protocol";
import type { Response } from "express";

/** Sends a file as a download, with its media type, ranges and a header-safe name. */
export function sendFile(res: Response, path: string): Promise<void> {
  const name = basename(path);
  return new Promise((resolve, reject) => {
    res.download(path, name, { cacheControl: false, dotfiles: "allow" }, (error) => {
      if (!error || res.headersSent) resolve();
      else if ("code" in error && error.code === "ENOENT")
        reject(new ScanError("not_found", `${name} does not exist`));
      else reject(error);
    });
  });
}
