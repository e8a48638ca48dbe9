import { mkdirSync } from "node:fs";
import pino, { type Logger } from "pino";
import { createStream } from "rotating-file-stream";
import type { Config } from "./config.js";
import { detailedLog, textLog } from "./logs/log-files.js";
import { callSite } from "./logs/call-site.js";
import { redactor } from "./security/redact.js";

const rotation = { size: "10M", rotate: 5 } as const;

/** Lines that a slow disk may owe before further ones are left out of a file. */
const maxWaitingBytes = 1024 * 1024;

export interface Log {
  readonly log: Logger;
  /** Resolves when every line so far is in the files, as far as they can be written. */
  flush(): Promise<void>;
  /** The same, and no file is written any more. */
  close(): Promise<void>;
}

/**
 * Lines of text on the terminal and in `openscan_firmware.log`, JSON in `openscan_detailed_log.json`; both files
 * are rotated at 10 MiB, five old ones are kept. A file that cannot be written is given up: a full disk must
 * neither end the scanner nor fill its memory, and the terminal still gets every line. Tokens are taken out of all.
 */
export function openLog(config: Config, terminal: NodeJS.WritableStream): Log {
  const { logDir, logLevel } = config;
  const redact = redactor(config);
  mkdirSync(logDir, { recursive: true });
  // Whoever read the terminal may leave, `| head` or a lost ssh session; that is no reason to stop scanning.
  terminal.on("error", () => {});
  const text = openFile(textLog, logDir, terminal);
  const detailed = openFile(detailedLog, logDir, terminal);
  const log = pino(
    {
      level: logLevel,
      base: null,
      messageKey: "message",
      timestamp: () => `,"asctime":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ levelname: label.toUpperCase() }) },
      mixin: callSite,
    },
    {
      write(written: string) {
        const json = redact(written);
        const line = textLine(json);
        terminal.write(line);
        text.write(line);
        detailed.write(json);
      },
    },
  );
  return {
    log,
    async flush() {
      await Promise.all([text.flush(), detailed.flush()]);
    },
    async close() {
      await Promise.all([text.close(), detailed.close()]);
    },
  };
}

interface LogFile {
  write(line: string): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

function openFile(name: string, path: string, terminal: NodeJS.WritableStream): LogFile {
  const file = createStream(name, { path, ...rotation });
  let usable = true;
  const giveUp = (error: Error) => {
    if (usable) terminal.write(`${name} is not written any more: ${error.message}\n`);
    usable = false;
    file.destroy();
  };
  file.on("error", giveUp);
  file.on("warning", giveUp);
  return {
    write(line) {
      if (usable && file.writableLength < maxWaitingBytes) file.write(line);
    },
    flush: () =>
      new Promise((resolve) => {
        // Calls back in its turn; when the file has failed, at once and with an error that was told already.
        if (usable) file.write("", () => resolve());
        else resolve();
      }),
    close: () =>
      new Promise((resolve) => {
        if (!usable) return resolve();
        usable = false;
        file.end(() => resolve());
      }),
  };
}

/** `time - LEVEL - [file:function] - message key=value …`, the layout that existing log viewers know. */
function textLine(json: string): string {
  const {
    asctime,
    levelname,
    name: _,
    module,
    funcName,
    lineno: __,
    message,
    ...fields
  } = JSON.parse(json) as Line;
  const details = Object.entries(fields).map(([key, value]) => ` ${key}=${textOf(value)}`);
  return `${asctime} - ${levelname} - [${module}:${funcName}] - ${message}${details.join("")}\n`;
}

type Line = Record<"asctime" | "levelname" | "name" | "module" | "funcName" | "message", string> &
  Record<string, unknown>;

function textOf(value: unknown): string {
  if (typeof value === "string") return /\s/.test(value) ? JSON.stringify(value) : value;
  const { stack } = Object(value) as { stack?: string };
  return stack ?? JSON.stringify(value);
}
