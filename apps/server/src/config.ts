import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";

/** Where the server listens and keeps its files, parsed once at start-up. */
export interface Config {
  readonly port: number;
  readonly host: string;
  readonly logLevel: "debug" | "info" | "warn" | "error";
  readonly settingsDir: string;
  readonly logDir: string;
  readonly projectDir: string;
  readonly runtimeDir: string;
}

/** What the command line asks for: a server, or just a text. */
export type Invocation = { readonly run: Config } | { readonly print: string };

interface Option {
  readonly flag: string;
  readonly variable: string;
  readonly value: string;
  readonly schema: z.ZodType;
  readonly fallback: () => string;
  readonly help: string;
}

const directory = (flag: string, variable: string, system: string, local: string, holds: string): Option => ({
  flag,
  variable,
  value: "DIR",
  schema: z.string().transform((path) => resolve(path)),
  fallback: () => (existsSync(system) ? system : local),
  help: `${holds} (default: ${system} if it exists, else ${local})`,
});

// One entry is all that an option needs: parsing, environment, defaults and help are derived from it.
const options = {
  port: {
    flag: "port",
    variable: "OPENSCAN_PORT",
    value: "N",
    schema: z.string().regex(/^\d+$/).transform(Number).pipe(z.int().min(0).max(65_535)),
    fallback: () => "8000",
    help: "port to listen on, 0 = any free one (default: 8000)",
  },
  host: {
    flag: "host",
    variable: "OPENSCAN_HOST",
    value: "ADDRESS",
    schema: z.string().min(1),
    fallback: () => "0.0.0.0",
    help: "address to listen on (default: 0.0.0.0, every network)",
  },
  logLevel: {
    flag: "log-level",
    variable: "OPENSCAN_LOG_LEVEL",
    value: "LEVEL",
    schema: z.enum(["debug", "info", "warn", "error"]),
    fallback: () => "info",
    help: "debug, info, warn or error (default: info)",
  },
  settingsDir: directory(
    "settings-dir",
    "OPENSCAN_SETTINGS_DIR",
    "/etc/openscan3",
    "./settings",
    "device configurations",
  ),
  logDir: directory("log-dir", "OPENSCAN_LOG_DIR", "/var/log/openscan3", "./logs", "log files"),
  projectDir: directory(
    "project-dir",
    "OPENSCAN_PROJECT_DIR",
    "/var/openscan3/projects",
    "./projects",
    "projects and their photos",
  ),
  runtimeDir: directory(
    "runtime-dir",
    "OPENSCAN_RUNTIME_DIR",
    "/var/openscan3",
    "./data",
    "task records and other state",
  ),
} as const satisfies Record<keyof Config, Option>;

/**
 * Reads the command line and the environment; a flag wins over its variable, a blank variable counts as unset.
 *
 * @throws Error naming the flag or variable and the value that is wrong
 */
export function readConfig(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  version: string,
): Invocation {
  const { values }: { values: Record<string, unknown> } = parseArgs({
    args: [...args],
    options: {
      ...Object.fromEntries(Object.values(options).map(({ flag }) => [flag, { type: "string" as const }])),
      help: { type: "boolean", short: "h" },
      version: { type: "boolean", short: "v" },
    },
  });
  if (values["help"]) return { print: helpText() };
  if (values["version"]) return { print: version };
  const config = Object.entries(options).map(([key, option]) => [
    key,
    readOption(option, values[option.flag], environment),
  ]);
  return { run: Object.fromEntries(config) as Config };
}

function readOption(
  option: Option,
  flagValue: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): unknown {
  const variable = environment[option.variable]?.trim() || undefined;
  const source = flagValue === undefined && variable !== undefined ? option.variable : `--${option.flag}`;
  const text = flagValue ?? variable ?? option.fallback();
  const parsed = option.schema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new Error(`${source}: ${JSON.stringify(text)} is not valid; expected ${option.help}`);
}

function helpText(): string {
  const lines = Object.values(options).map(
    ({ flag, value, variable, help }) =>
      `  --${`${flag} ${value}`.padEnd(20)} ${help}\n${" ".repeat(25)}environment: ${variable}`,
  );
  return [
    "Usage: openscan-server [options]",
    "",
    "Drives an OpenScan3 scanner and serves its REST and WebSocket API.",
    "Without scanner hardware and configuration it starts with a simulated OpenScan Mini.",
    "",
    ...lines,
    `  -v, ${"--version".padEnd(18)} print the version`,
    `  -h, ${"--help".padEnd(18)} print this text`,
  ].join("\n");
}
