import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readConfig } from "./config.js";

const read = (args: string[], environment: Record<string, string> = {}) =>
  readConfig(args, environment, "1.2.3");

test("defaults are those of the existing backend", () => {
  expect(read([], { OPENSCAN_PROJECT_DIR: "  " })).toMatchObject({
    run: { port: 8000, host: "0.0.0.0", logLevel: "info", projectDir: resolve("projects") },
  });
});

test("a flag wins over its variable", () => {
  const environment = { OPENSCAN_PORT: "9000", OPENSCAN_RUNTIME_DIR: "/tmp/state" };
  expect(read([], environment)).toMatchObject({ run: { port: 9000, runtimeDir: "/tmp/state" } });
  expect(read(["--port", "0", "--runtime-dir=x"], environment)).toMatchObject({
    run: { port: 0, runtimeDir: resolve("x") },
  });
});

test.each([
  [["--port", "80x"], {}, /--port: "80x"/],
  [["--port", "65536"], {}, /--port: "65536"/],
  [[], { OPENSCAN_PORT: "eight" }, /OPENSCAN_PORT: "eight"/],
  [["--log-level", "loud"], {}, /--log-level: "loud"/],
  [["--prot", "1"], {}, /--prot/],
  [["--ui", "/nonexistent"], {}, /--ui: "\/nonexistent" is not valid; expected folder .* index\.html/],
])("a bad value is refused by name: %j %j", (args, environment, message) => {
  expect(() => read(args, environment)).toThrow(message);
});

test("community tasks are loaded only when asked for", () => {
  expect(read([])).toMatchObject({ run: { taskAutodiscovery: false, taskOverride: false } });
  for (const word of ["1", "true", "yes", "on"])
    expect(read([], { OPENSCAN_TASK_AUTODISCOVERY: word })).toMatchObject({
      run: { taskAutodiscovery: true },
    });
  expect(
    read(["--task-autodiscovery", "on", "--community-tasks-dir", "x", "--task-override=on"]),
  ).toMatchObject({ run: { taskAutodiscovery: true, communityTasksDir: resolve("x"), taskOverride: true } });
  expect(() => read(["--task-autodiscovery", "perhaps"])).toThrow(/--task-autodiscovery: "perhaps"/);
});

test("lists may be repeated, have commas, and are spelt as browsers spell them", () => {
  expect(read(["--allow-host", "Scan.Example.org, 203.0.113.7", "--allow-host=b.example"])).toMatchObject({
    run: { allowHosts: ["scan.example.org", "203.0.113.7", "b.example"], allowOrigins: [] },
  });
  expect(read([], { OPENSCAN_ALLOW_ORIGIN: "null,https://UI.example:443" })).toMatchObject({
    run: { allowHosts: [], allowOrigins: ["null", "https://ui.example"] },
  });
  expect(() => read(["--allow-origin", "https://ui.example/path"])).toThrow(
    /--allow-origin: "https:\/\/ui.example\/path"/,
  );
  expect(() => read([], { OPENSCAN_ALLOW_HOST: "*" })).toThrow(/OPENSCAN_ALLOW_HOST: "\*"/);
});

const secret = "sixteen-chars-ok";
const folder = mkdtempSync(join(tmpdir(), "openscan-config-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (text: string) => {
  const path = join(folder, `${randomUUID()}.txt`);
  writeFileSync(path, text);
  return path;
};

test("tokens come from a variable or a file; none is no key", () => {
  expect(read([])).toMatchObject({ run: expect.not.objectContaining({ token: expect.anything() }) });
  expect(read([], { OPENSCAN_TOKEN: secret, OPENSCAN_VIEW_TOKEN: `${secret}-view` })).toMatchObject({
    run: { token: secret, viewToken: `${secret}-view` },
  });
  expect(read(["--token-file", file(`${secret}=\n`)], { OPENSCAN_TOKEN: "of no use" })).toMatchObject({
    run: { token: `${secret}=` },
  });
});

test.each([
  ["fifteen-chars-x", "too short"],
  ["", "empty"],
  ["sixteen chars ok", "with spaces"],
  ["sixteen-chärs-ok", "not ASCII"],
])("the token %j ends the start: %s", (text) => {
  const attempts = [
    [() => read([], { OPENSCAN_TOKEN: text }), "OPENSCAN_TOKEN"],
    [() => read(["--token-file", file(text)]), "--token-file"],
    [() => read(["--view-token-file", file(text)], { OPENSCAN_TOKEN: secret }), "--view-token-file"],
  ] as const;
  for (const [attempt, source] of attempts) {
    expect(attempt).toThrow(new RegExp(`^${source}: a text of ${text.length} characters is not valid; .*16`));
    if (text !== "") expect(attempt).not.toThrow(text);
  }
});

test("a token file that cannot be read ends the start, and so do tokens that make no sense together", () => {
  expect(() => read(["--token-file", "/no/such/file"])).toThrow(/--token-file: cannot read \/no\/such\/file/);
  expect(() => read([], { OPENSCAN_VIEW_TOKEN: secret })).toThrow(/no token that may change/);
  expect(() => read([], { OPENSCAN_TOKEN: secret, OPENSCAN_VIEW_TOKEN: secret })).toThrow(/are the same/);
});

test("help names every option and variable", () => {
  const help = read(["--help"]);
  for (const word of [
    "--port",
    "OPENSCAN_PORT",
    "--host",
    "OPENSCAN_SETTINGS_DIR",
    "OPENSCAN_LOG_DIR",
    "OPENSCAN_PROJECT_DIR",
    "OPENSCAN_RUNTIME_DIR",
    "--allow-origin",
    "--view-token-file",
    "OPENSCAN_VIEW_TOKEN",
    "No option takes a token itself",
  ])
    expect(help).toMatchObject({ print: expect.stringContaining(word) });
  expect(read(["--version"])).toEqual({ print: "1.2.3" });
});
