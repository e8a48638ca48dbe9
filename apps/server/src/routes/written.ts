import type { Response } from "express";

/** Resolves when the system has taken the bytes, rejects when the client is gone. */
export function written(res: Response, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason as Error);
    if (signal.aborted) {
      giveUp();
      return;
    }
    signal.addEventListener("abort", giveUp, { once: true });
    res.write(bytes, (error) => {
      signal.removeEventListener("abort", giveUp);
      if (error) reject(error);
      else resolve();
    });
  });
}
