import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";

/** The files that end up in a page that imports an entry point, React and Vue themselves left out. */
async function filesOf(entry: string): Promise<string[]> {
  const folder = fileURLToPath(new URL("..", import.meta.url));
  const { metafile } = await build({
    absWorkingDir: folder,
    entryPoints: [`src/${entry}.ts`],
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2023",
    conditions: ["@openscan/source"],
    external: ["react", "vue"],
    metafile: true,
    write: false,
  });
  return Object.keys(metafile.inputs);
}

test.each(["react", "vue"])("%s brings its own files only: the client comes with the core", async (name) => {
  const files = await filesOf(`${name}/index`);
  expect(files.length).toBeGreaterThan(3);
  expect(files.filter((file) => !file.startsWith(`src/${name}/`))).toEqual([]);
});

test("the scanner in memory brings neither schemas nor a server", async () => {
  const files = await filesOf("testing/index");
  expect(files.filter((file) => !file.startsWith("src/testing/")).toSorted()).toEqual([
    "../../packages/protocol/src/json-delta.ts",
    "src/clock.ts",
  ]);
});
