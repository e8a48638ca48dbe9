// npm start [-- server options]: installs, builds and runs the server.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { installAndBuild, root } from "./bootstrap.mjs";

installAndBuild();
const server = spawn(process.execPath, [join(root, "apps/server/dist/main.js"), ...process.argv.slice(2)], {
  stdio: "inherit",
});
// The server decides how to stop; we stay until it has.
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => server.kill(signal));
server.on("exit", (code) => process.exit(code ?? 1));
