// npm run check: everything CI checks besides the tests.
import { installAndBuild, run, runPnpm, tool } from "./bootstrap.mjs";

installAndBuild();
run(tool("tsc"), ["-p", "tsconfig.json", "--noEmit"]);
run(tool("oxlint"), ["--type-aware", "--deny-warnings", "packages", "apps", "examples", "bench", "scripts"]);
run(tool("biome"), ["format", "."]);
run(tool("knip"), []);
runPnpm("turbo run packaging --output-logs=errors-only --concurrency=1");
run(process.execPath, ["scripts/check-tarballs.mjs"]);
