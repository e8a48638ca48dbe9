import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";

const LIMIT_BYTES = 6000;

async function bundle() {
  const result = await build({
    entryPoints: [fileURLToPath(new URL("../src/index.ts", import.meta.url))],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2023",
    metafile: true,
    write: false,
  });
  const [output] = result.outputFiles;
  if (!output) throw new Error("esbuild wrote nothing");
  return { bytes: output.contents, inputs: Object.keys(result.metafile.inputs) };
}

test("the core is at most 6,000 bytes, minified and compressed", async () => {
  const { bytes } = await bundle();
  expect(gzipSync(bytes, { level: 9 }).length).toBeLessThanOrEqual(LIMIT_BYTES);
});

test("it contains nothing but itself: protocol gives types only, ws stays outside", async () => {
  const { inputs } = await bundle();
  expect(inputs.length).toBeGreaterThan(10);
  expect(inputs.filter((path) => !/(^|\/)src\/[a-z-]+\.ts$/.test(path))).toEqual([]);
});
