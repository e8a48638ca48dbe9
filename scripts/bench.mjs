// npm run bench [-- benchmark options]: builds and runs the benchmarks.
import { installAndBuild, run } from "./bootstrap.mjs";

installAndBuild();
run(process.execPath, ["bench/run.mjs", ...process.argv.slice(2)]);
