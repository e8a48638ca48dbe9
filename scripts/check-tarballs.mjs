// Packs every package, installs the tarballs and what they can be used with into an empty folder with plain npm, and
// imports every entry point there: what a user of the published packages does.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, run, runPnpm } from "./bootstrap.mjs";

const folder = mkdtempSync(join(tmpdir(), "openscan-tarballs-"));
const packages = ["packages", "apps"].flatMap((group) =>
  readdirSync(join(root, group)).map((name) =>
    JSON.parse(readFileSync(join(root, group, name, "package.json"), "utf8")),
  ),
);
try {
  const filters = packages.map(({ name }) => `--filter ${name}`).join(" ");
  runPnpm(`pnpm ${filters} exec pnpm pack --pack-destination ${folder}`, {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const tarballs = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  if (tarballs.length !== packages.length)
    throw new Error(`packed ${tarballs.length} of ${packages.length} packages`);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const peers = packages.flatMap(({ peerDependencies = {} }) =>
    Object.entries(peerDependencies).map(([name, range]) => `${name}@${range}`),
  );
  const files = tarballs.map((name) => `./${name}`);
  run("npm", ["install", "--silent", "--no-audit", "--no-fund", ...files, ...peers], { cwd: folder });
  const entries = packages.flatMap(({ name, exports }) =>
    Object.keys(exports)
      .filter((path) => path !== "./package.json")
      .map((path) => name + path.slice(1)),
  );
  const imports = entries.map((entry) => `await import(${JSON.stringify(entry)});`);
  writeFileSync(
    join(folder, "imports.mjs"),
    `${imports.join("\n")}\nconsole.log("imported ${entries.length} entry points");\nprocess.exit(0);\n`,
  );
  run(process.execPath, ["imports.mjs"], { cwd: folder });
  run("npx", ["--no-install", "openscan-server", "--version"], { cwd: folder });
} finally {
  rmSync(folder, { recursive: true, force: true });
}
