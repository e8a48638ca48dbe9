import { setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import sharp from "sharp";
import { fromRows, toRows } from "./affine.js";
import { alignPhotos, stackPhotos } from "./stack-photos.js";
import type { StackingJob, StackingReply } from "./stacking-job.js";

const NICE = 10;

// On Linux this is the priority of the calling thread alone: whatever else the process does comes first.
if (process.platform === "linux") setPriority(0, NICE);
// One thread per worker is the budget, and no photo is read twice in a row.
sharp.concurrency(1);
sharp.cache(false);

parentPort?.on("message", (job: StackingJob) => void answer(job));

async function answer(job: StackingJob): Promise<void> {
  try {
    if (job.kind === "align") {
      const transforms = await alignPhotos(job.files);
      reply({ transforms: transforms.map((transform) => (transform ? toRows(transform) : null)) });
    } else {
      const jpeg = await stackPhotos(job.files, job.transforms.map(fromRows));
      reply({ jpeg }, [jpeg.buffer]);
    }
  } catch (cause) {
    reply({ problem: cause instanceof Error ? cause.message : String(cause) });
  }
}

function reply(message: StackingReply, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}
