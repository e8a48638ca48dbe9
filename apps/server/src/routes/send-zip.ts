import type { Exchange } from "../http/route.js";
import type { Archive } from "../projects/archive.js";
import { writeZip } from "../zip/write-zip.js";
import { written } from "./written.js";

/**
 * Sends an archive as a download while it is being made, as fast as the client takes it. What fails on the way breaks
 * the connection, so that nobody takes a part for the whole.
 */
export async function sendZip(
  { req, res, signal }: Exchange,
  { name, modified, entries }: Archive,
): Promise<void> {
  res.attachment(name);
  res.set({ "Last-Modified": modified.toUTCString(), "Cache-Control": "no-cache" });
  if (req.method === "HEAD") {
    res.end();
    return;
  }
  try {
    await writeZip(entries, (bytes) => written(res, bytes, signal));
    res.end();
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
