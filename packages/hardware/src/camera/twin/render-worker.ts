import { parentPort } from "node:worker_threads";
import { ScanError } from "@openscan/protocol";
import sharp from "sharp";
import { encodeJpeg } from "./jpeg.js";
import type { RenderJob, RenderReply } from "./render-job.js";
import { createScene, Renderer } from "./renderer.js";

// One thread per worker is the budget; libvips would start one for each core.
sharp.concurrency(1);
const renderer = new Renderer(createScene());

parentPort?.on("message", (job: RenderJob) => void answer(job));

async function answer({ id, view }: RenderJob): Promise<void> {
  try {
    const { pixels, ...facts } = renderer.render(view);
    const jpeg = await encodeJpeg({ pixels, ...facts }, view.settings);
    reply({ id, photo: { jpeg, ...facts } }, [jpeg.buffer]);
  } catch (cause) {
    const code = cause instanceof ScanError ? cause.code : "internal";
    const message = cause instanceof Error ? cause.message : String(cause);
    reply({ id, problem: { code, message } });
  }
}

function reply(message: RenderReply, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}
