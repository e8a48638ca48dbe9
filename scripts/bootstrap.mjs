// Installs and builds what is missing, with nothing but Node and npm: the pinned pnpm comes through npx.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const stampFile = join(root, "node_modules/.bootstrap-stamp");

/** Runs a command in the project's root and ends this process when it fails. */
export function run(command, args, options = {}) {
  const environment = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1", ...options.env };
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    ...options,
    env: environment,
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** Runs a shell line with the pinned pnpm, and whatever is in node_modules/.bin, on the path. */
export function runPnpm(line, options = {}) {
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  run("npx", ["--yes", `--package=${packageManager}`, "-c", line], options);
}

/** Path of a tool that the project depends on. */
export const tool = (name) => join(root, "node_modules/.bin", name);

export function installAndBuild() {
  const stamp = readStamp();
  const installed = digest(inputs((path) => /(^|\/)(package\.json|pnpm-(lock|workspace)\.yaml)$/.test(path)));
  const built = digest(
    inputs((path) => /^(packages|apps)\/[^/]+\/(src\/|package\.json|tsconfig)|^tsconfig\.base/.test(path)),
  );
  if (stamp.installed !== installed) runPnpm("pnpm install --frozen-lockfile");
  if (stamp.installed !== installed || stamp.built !== built || !distsExist())
    runPnpm("turbo run build --output-logs=errors-only");
  writeFileSync(stampFile, JSON.stringify({ installed, built }));
}

function readStamp() {
  return existsSync(stampFile) ? JSON.parse(readFileSync(stampFile, "utf8")) : {};
}

function distsExist() {
  return ["packages", "apps"].every((group) =>
    readdirSync(join(root, group)).every((name) => existsSync(join(root, group, name, "dist"))),
  );
}

function inputs(matches) {
  return [...walk("")].filter(matches).sort();
}

function* walk(folder) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    if (["node_modules", "dist", ".git", ".turbo"].includes(entry.name)) continue;
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.isFile()) yield path;
  }
}

// Sizes and times are enough to notice an edit, and reading nothing keeps the second start instant.
function digest(paths) {
  const hash = createHash("sha256");
  for (const path of paths) {
    const { size, mtimeMs } = statSync(join(root, path));
    hash.update(`${path}\0${size}\0${mtimeMs}\n`);
  }
  return hash.digest("hex");
}
