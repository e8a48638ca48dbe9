import type { Camera } from "@openscan/hardware";
import type { Exchange } from "../http/route.js";

/** Begins a part. It is sent right behind the picture before: browsers show that only when the next part has begun. */
const partHead = "--frame\r\nContent-Type: image/jpeg\r\n\r\n";

/**
 * Sends previews as `multipart/x-mixed-replace` until the viewer leaves or the camera fails. A viewer that reads
 * slowly gets fewer frames, never a queue of old ones; a moment in which the camera is busy is skipped.
 *
 * @throws what the camera fails with before there was a frame
 */
export async function streamPreview(
  camera: Camera,
  fps: number,
  { req, res, signal }: Pick<Exchange, "req" | "res" | "signal">,
): Promise<void> {
  const open = () => {
    if (res.headersSent) return;
    res.set({ "Content-Type": "multipart/x-mixed-replace;boundary=frame", "Cache-Control": "no-store" });
    // Whoever sits in between, a proxy above all, is not to collect frames.
    res.set("X-Accel-Buffering", "no");
    res.flushHeaders();
    if (req.method !== "HEAD") res.write(partHead);
  };
  const show = (jpeg: Uint8Array) => {
    open();
    res.cork();
    res.write(jpeg);
    res.write(`\r\n${partHead}`);
    res.uncork();
  };
  // The first frame may have to wait for a photo, the reply need not.
  if (camera.status().busy || req.method === "HEAD") open();
  if (req.method !== "HEAD") {
    try {
      await camera.watch({ fps, signal, isReady: () => !res.writableNeedDrain, show });
    } catch (error) {
      if (!res.headersSent) throw error;
    }
  }
  res.end();
}
