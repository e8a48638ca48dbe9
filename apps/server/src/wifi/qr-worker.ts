import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parentPort } from "node:worker_threads";
import sharp, { type Sharp } from "sharp";
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";
import type { QrJob, QrReply } from "./qr-job.js";

/** Larger frames show no more of a code, but take longer. */
const MAX_EDGE = 1400;

// Left to itself the library fetches its program from the internet.
const wasm = await readFile(fileURLToPath(import.meta.resolve("zxing-wasm/reader/zxing_reader.wasm")));
prepareZXingModule({
  overrides: { wasmBinary: wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.length) },
});

/** Noise hides codes of coarse modules, and to take it away hides those of fine ones. */
async function textsIn(jpeg: Uint8Array): Promise<string[]> {
  const frame = sharp(jpeg).resize(MAX_EDGE, MAX_EDGE, { fit: "inside", withoutEnlargement: true });
  const texts = await read(frame);
  return texts.length > 0 ? texts : read(frame.clone().median(3));
}

async function read(picture: Sharp): Promise<string[]> {
  const { data, info } = await picture
    .toColorspace("srgb")
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const image = {
    data: new Uint8ClampedArray(data.buffer, data.byteOffset, data.length),
    width: info.width,
    height: info.height,
    colorSpace: "srgb",
  } as const;
  const codes = await readBarcodes(image, { formats: ["QRCode"], tryDenoise: true, textMode: "Plain" });
  return codes.filter(({ isValid }) => isValid).map(({ bytes, text }) => utf8(bytes) ?? text);
}

/** Nearly all generators write UTF-8 and do not say so; a guess would take some of it for another encoding. */
function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

parentPort?.on("message", ({ id, jpeg }: QrJob) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  const answer = (reply: QrReply) => parentPort?.postMessage(reply);
  textsIn(jpeg).then(
    (texts) => answer({ id, texts }),
    (cause: unknown) => answer({ id, problem: cause instanceof Error ? cause.message : String(cause) }),
  );
});
