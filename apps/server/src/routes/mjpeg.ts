import type { Camera } from "@openscan/hardware";
import { ScanError } from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";
import type { Response } from "express";

interface Viewer {
  readonly res: Response;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/**
 * Sends previews as `multipart/x-mixed-replace` until the viewer leaves. A viewer that reads slowly gets fewer
 * frames, never a queue of old ones; a moment in which the camera is busy is skipped.
 */
export async function streamPreview(
  camera: Camera,
  fps: number,
  { res, signal, clock }: Viewer,
): Promise<void> {
  res.set({ "Content-Type": "multipart/x-mixed-replace;boundary=frame", "Cache-Control": "no-store" });
  res.flushHeaders();
  while (!signal.aborted) {
    try {
      if (!camera.status().busy && !res.writableNeedDrain) sendFrame(res, await camera.preview(signal));
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof ScanError && error.code === "busy")) throw error;
    }
    await clock.sleep(1000 / fps, signal).catch(() => {}); // the viewer left
  }
}

function sendFrame(res: Response, jpeg: Uint8Array): void {
  res.cork();
  res.write("--frame\r\nContent-Type: image/jpeg\r\n\r\n");
  res.write(jpeg);
  res.write("\r\n");
  res.uncork();
}
