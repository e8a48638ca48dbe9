import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deviceStatus, distinctEvents } from "./device-status.mjs";

const beside = (path) => fileURLToPath(new URL(path, import.meta.url));
const nodeServer = (file) => ({
  build: () => [process.execPath, "--expose-gc", beside("servers/main.mjs"), file],
});

/**
 * What is compared. `build` makes the command that starts a server, or tells in a sentence why this machine cannot;
 * `dialect` is what its clients speak.
 */
const definitions = {
  hub: { title: "hub (v1)", dialect: "v1", ...nodeServer("hub") },
  legacy: { title: "hub (legacy)", dialect: "plain", ...nodeServer("hub") },
  string: { title: "ws, stringify once", dialect: "plain", ...nodeServer("string") },
  naive: { title: "ws, naive", dialect: "plain", ...nodeServer("naive") },
  socketIo: { title: "socket.io", dialect: "socketIo", ...nodeServer("socket-io") },
  c: { title: "C limit", dialect: "plain", build: compile },
  bun: { title: "Bun (uWebSockets)", dialect: "plain", build: findBun },
  fastApi: { title: "FastAPI hub", dialect: "plain", build: findFastApi },
};

/** Both are `@openscan/hub`, with clients of the one or the other dialect. */
export const hubNames = ["hub", "legacy"];
export const peerNames = Object.keys(definitions).filter((name) => !hubNames.includes(name));

/** @typedef {{ name: string, title: string, dialect: string, command: string[] }} Peer */

/**
 * Those of the peers with these names that this machine can run, and why it cannot run the others.
 *
 * @param {(keyof typeof definitions)[]} names
 * @param {string} workFolder for what has to be built
 * @returns {{ peers: Record<string, Peer>, missing: string[] }}
 */
export function preparePeers(names, workFolder) {
  const peers = {};
  const missing = [];
  for (const name of names) {
    const { title, dialect, build } = definitions[name];
    const command = build(workFolder);
    if (typeof command === "string") missing.push(`${title}: ${command}`);
    else peers[name] = { name, title, dialect, command };
  }
  return { peers, missing };
}

function compile(workFolder) {
  const program = join(workFolder, "c-limit");
  const { error, status, stderr } = spawnSync("cc", ["-O2", "-o", program, beside("c-limit/server.c")], {
    encoding: "utf8",
  });
  if (error) return "no compiler (cc)";
  if (status !== 0) return `cc failed: ${stderr}`;
  return [program, writeEvents(workFolder)];
}

function findBun() {
  const { error } = spawnSync("bun", ["--version"]);
  return error ? "not installed (npx -p bun -c …)" : ["bun", beside("servers/bun.mjs")];
}

/** Debian installs its Python packages for /usr/bin/python3, which need not be the first on the path. */
function findFastApi(workFolder) {
  const python = ["python3", "/usr/bin/python3"].find(
    (program) => spawnSync(program, ["-c", "import fastapi, uvicorn, websockets"]).status === 0,
  );
  if (!python)
    return "not installed (Debian: python3-fastapi python3-uvicorn python3-websockets python3-uvloop)";
  return [python, beside("servers/fastapi_hub.py"), writeEvents(workFolder)];
}

/** For servers that cannot import them. */
function writeEvents(workFolder) {
  const file = join(workFolder, "events.ndjson");
  const events = Array.from({ length: distinctEvents }, (_, index) => JSON.stringify(deviceStatus(index)));
  writeFileSync(file, `${events.join("\n")}\n`);
  return file;
}
