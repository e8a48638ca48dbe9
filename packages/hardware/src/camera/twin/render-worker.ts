import { setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import { ScanError } from "@openscan/protocol";
import sharp from "sharp";
import { encodeDng } from "../dng.js";
import { twinFacts } from "./facts.js";
import { encodeJpeg } from "./jpeg.js";
import type { RenderJob, RenderReply } from "./render-job.js";
import { createScene, Renderer } from "./renderer.js";
import type { TwinView } from "./view.js";

const NICE = 5;

// On Linux this is the priority of the calling thread alone: motors, requests and heartbeats come first.
if (process.platform === "linux") setPriority(0, NICE);
// One thread per worker is the budget; libvips would start one for each core.
sharp.concurrency(1);
const renderer = new Renderer(createScene());

parentPort?.on("message", (job: RenderJob) => void answer(job));

async function answer({ id, view }: RenderJob): Promise<void> {
  try {
    const photo = await take(view);
    reply({ id, photo }, [photo.bytes.buffer]);
  } catch (cause) {
    const code = cause instanceof ScanError ? cause.code : "internal";
    const message = cause instanceof Error ? cause.message : String(cause);
    reply({ id, problem: { code, message } });
  }
}

async function take(view: TwinView) {
  if (view.encoding !== "dng") {
    const { pixels, ...facts } = renderer.render(view);
    return { bytes: await encodeJpeg({ pixels, ...facts }, view.settings), ...facts };
  }
  const { image, ...facts } = renderer.renderMosaic(view);
  const tags = twinFacts({ ...view, ...facts });
  return { bytes: encodeDng(image, tags, view.settings.orientation_flag ?? 1), ...facts };
}

function reply(message: RenderReply, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer);
}
