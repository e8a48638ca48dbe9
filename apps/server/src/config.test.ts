import { resolve } from "node:path";
import { expect, test } from "vitest";
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
])("a bad value is refused by name: %j %j", (args, environment, message) => {
  expect(() => read(args, environment)).toThrow(message);
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
  ])
    expect(help).toMatchObject({ print: expect.stringContaining(word) });
  expect(read(["--version"])).toEqual({ print: "1.2.3" });
});
