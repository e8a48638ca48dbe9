import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { AllowedHost, AllowedOrigin } from "./security/allowed.js";

/** Where the server listens and keeps its files, parsed once at start-up. */
export interface Config {
  readonly port: number;
  readonly host: string;
  readonly logLevel: "debug" | "info" | "warn" | "error";
  readonly settingsDir: string;
  readonly logDir: string;
  readonly projectDir: string;
  readonly runtimeDir: string;
  /** Folder of a built single-page UI, shown at `/` instead of the status page. */
  readonly uiDir?: string;
  /** Whether task types are loaded from a folder, which one, and whether they may replace ours. */
  readonly taskAutodiscovery?: boolean;
  readonly communityTasksDir?: string;
  readonly taskOverride?: boolean;
  readonly allowHosts: readonly string[];
  readonly allowOrigins: readonly string[];
  /** Without it everybody may do everything. */
  readonly token?: string;
  readonly viewToken?: string;
  /** Of the account in the cloud, used until another one is stored. */
  readonly cloudToken?: string;
}

/** What the command line asks for: a server, or just a text. */
export type Invocation = { readonly run: Config } | { readonly print: string };

interface Option {
  readonly flag: string;
  readonly variable: string;
  readonly value: string;
  readonly schema: z.ZodType;
  /** `undefined`: the value is left out. */
  readonly fallback: () => string | undefined;
  readonly help: string;
  /** May be given several times. */
  readonly multiple?: true;
  /** The flag names a file with the value, the variable holds it, and no message tells it. */
  readonly secret?: true;
}

const directory = (flag: string, variable: string, system: string, local: string, holds: string): Option => ({
  flag,
  variable,
  value: "DIR",
  schema: z.string().transform((path) => resolve(path)),
  fallback: () => (existsSync(system) ? system : local),
  help: `${holds} (default: ${system} if it exists, else ${local})`,
});

const onOff = (flag: string, variable: string, help: string): Option => ({
  flag,
  variable,
  value: "on|off",
  schema: z
    .enum(["on", "true", "yes", "1", "off", "false", "no", "0"])
    .transform((word) => ["on", "true", "yes", "1"].includes(word)),
  fallback: () => "off",
  help: `${help} (default: off)`,
});

const list = (item: z.ZodType<string, string>) =>
  z
    .string()
    .transform((text) => text.split(",").flatMap((part) => part.trim() || []))
    .pipe(z.array(item));

const allow = (what: "host" | "origin", item: z.ZodType<string, string>, help: string): Option => ({
  flag: `allow-${what}`,
  variable: `OPENSCAN_ALLOW_${what.toUpperCase()}`,
  value: what.toUpperCase(),
  schema: list(item),
  fallback: () => "",
  help: `${help}, repeated or with commas`,
  multiple: true,
});

const token = (flag: string, variable: string, help: string): Option => ({
  flag,
  variable,
  value: "FILE",
  schema: z.string().regex(/^[\w.~+/-]{16,256}=*$/),
  fallback: () => undefined,
  help,
  secret: true,
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
  taskAutodiscovery: onOff(
    "task-autodiscovery",
    "OPENSCAN_TASK_AUTODISCOVERY",
    "load further types of tasks from the folder of community tasks",
  ),
  communityTasksDir: directory(
    "community-tasks-dir",
    "OPENSCAN_COMMUNITY_TASKS_DIR",
    "/var/openscan3/community-tasks",
    "./community-tasks",
    "community tasks",
  ),
  taskOverride: onOff(
    "task-override",
    "OPENSCAN_TASK_OVERRIDE_ON_CONFLICT",
    "let a community task take the place of another one of its name",
  ),
  uiDir: {
    flag: "ui",
    variable: "OPENSCAN_UI_DIR",
    value: "DIR",
    schema: z
      .string()
      .transform((path) => resolve(path))
      .refine((path) => existsSync(join(path, "index.html"))),
    fallback: () => undefined,
    help: "folder of a built single-page UI, with its index.html, to show at / (default: the built-in status page)",
  },
  allowHosts: allow(
    "host",
    AllowedHost,
    "name or address by which clients find this server, besides those of the local network",
  ),
  allowOrigins: allow(
    "origin",
    AllowedOrigin,
    "whose pages may use this server, as https://name:port, besides those of the local network; null for files",
  ),
  token: token(
    "token-file",
    "OPENSCAN_TOKEN",
    "token that every client must send: 16 to 256 letters, digits or . _ ~ + / - (default: none needed)",
  ),
  viewToken: token(
    "view-token-file",
    "OPENSCAN_VIEW_TOKEN",
    "token that may only read and listen, beside the other one: 16 to 256 characters, as above",
  ),
  cloudToken: {
    ...token("cloud-token-file", "OPENSCANCLOUD_TOKEN", "token of the cloud, until another one is stored"),
    schema: z.string().transform((text) => text || undefined),
  },
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
      ...Object.fromEntries(
        Object.values<Option>(options).map(({ flag, multiple = false }) => [
          flag,
          { type: "string" as const, multiple },
        ]),
      ),
      help: { type: "boolean", short: "h" },
      version: { type: "boolean", short: "v" },
    },
  });
  if (values["help"]) return { print: helpText() };
  if (values["version"]) return { print: version };
  const config = Object.entries<Option>(options).flatMap(([key, option]) => {
    const value = readOption(option, values[option.flag], environment);
    return value === undefined ? [] : [[key, value]];
  });
  return { run: checkTokens(Object.fromEntries(config) as Config) };
}

function checkTokens(config: Config): Config {
  const { token, viewToken } = config;
  if (viewToken !== undefined && token === undefined)
    throw new Error("there is a view token but no token that may change something; see --token-file");
  if (viewToken !== undefined && viewToken === token)
    throw new Error("the view token and the token that may change something are the same");
  return config;
}

function readOption(
  option: Option,
  flagValue: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): unknown {
  const variable = environment[option.variable]?.trim();
  // A secret that came out empty was meant to protect something.
  const fromVariable = option.secret ? variable : variable || undefined;
  const source = flagValue === undefined && fromVariable !== undefined ? option.variable : `--${option.flag}`;
  const given = flagValue === undefined ? undefined : textOfFlag(option, flagValue);
  const text = given ?? fromVariable ?? option.fallback();
  if (text === undefined) return undefined;
  const parsed = option.schema.safeParse(text);
  if (parsed.success) return parsed.data;
  const shown = option.secret ? `a text of ${text.length} characters` : JSON.stringify(text);
  throw new Error(`${source}: ${shown} is not valid; expected ${option.help}`);
}

function textOfFlag({ flag, secret }: Option, value: unknown): string {
  const text = [value].flat().join(",");
  if (!secret) return text;
  try {
    return readFileSync(text, "utf8").trim();
  } catch (cause) {
    throw new Error(`--${flag}: cannot read ${text}: ${(cause as Error).message}`, { cause });
  }
}

function helpText(): string {
  const lines = Object.values<Option>(options).map(
    ({ flag, value, variable, help, secret }) =>
      `  --${`${flag} ${value}`.padEnd(22)} ${help}\n${" ".repeat(27)}environment: ${variable}${secret ? " (the token itself)" : ""}`,
  );
  return [
    "Usage: openscan-server [options]",
    "",
    "Drives an OpenScan3 scanner and serves its REST and WebSocket API.",
    "Without scanner hardware and configuration it starts with a simulated OpenScan Mini.",
    "",
    ...lines,
    `  -v, ${"--version".padEnd(20)} print the version`,
    `  -h, ${"--help".padEnd(20)} print this text`,
    "",
    "No option takes a token itself: every user of the machine can read command lines.",
  ].join("\n");
}
