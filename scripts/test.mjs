// npm test [-- vitest options]: installs, builds and runs every test.
import { installAndBuild, run, tool } from "./bootstrap.mjs";

installAndBuild();
run(tool("vitest"), ["run", ...process.argv.slice(2)]);
