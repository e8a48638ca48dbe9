#!/usr/bin/env node
// Serves one of the web examples to this computer, and builds it whenever it is loaded.
import { parseArgs } from "node:util";
import { context } from "esbuild";

const USAGE = "Usage: serve.mjs browser|react|vue [--scanner http://localhost:8000] [--port 5173]";
const ENTRIES = {
  browser: {},
  react: { main: "react/main.tsx", page: "web/page.css" },
  vue: { main: "vue/main.ts", page: "web/page.css" },
};

const { values, positionals } = parseArgs({
  options: {
    scanner: { type: "string", default: "http://localhost:8000" },
    port: { type: "string", default: "5173" },
    help: { type: "boolean", short: "h" },
  },
  allowPositionals: true,
});
const [example] = positionals;
if (values.help || !Object.hasOwn(ENTRIES, example)) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 1);
}

const page = await context({
  absWorkingDir: import.meta.dirname,
  entryPoints: ENTRIES[example],
  bundle: true,
  format: "esm",
  jsx: "automatic",
  outdir: example,
  write: false,
  sourcemap: true,
  // The SDK as it is in this repository, without building it first.
  conditions: ["@openscan/source"],
  // Vue with its compiler, for templates that are strings.
  alias: { vue: "vue/dist/vue.esm-bundler.js" },
  define: {
    __VUE_OPTIONS_API__: "false",
    __VUE_PROD_DEVTOOLS__: "false",
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
  },
});
const { port } = await page.serve({ servedir: example, host: "127.0.0.1", port: Number(values.port) });
console.log(`http://127.0.0.1:${port}/?scanner=${encodeURIComponent(values.scanner)}`);
