import { mkdirSync } from "node:fs";
import pino, { type Logger } from "pino";
import { createStream } from "rotating-file-stream";
import type { Config } from "./config.js";
import { redactor } from "./security/redact.js";

const rotation = { size: "10M", rotate: 5 } as const;

/** Lines that a slow disk may owe before further ones are left out of a file. */
const maxWaitingBytes = 1024 * 1024;

/**
 * Lines of text on the terminal and in `openscan_firmware.log`, JSON in `openscan_detailed_log.json`; both files
 * are rotated at 10 MiB, five old ones are kept. A file that cannot be written is given up: a full disk must
 * neither end the scanner nor fill its memory, and the terminal still gets every line. Tokens are taken out of all.
 */
export function openLog(config: Config, terminal: NodeJS.WritableStream): Logger {
  const { logDir, logLevel } = config;
  const redact = redactor(config);
  mkdirSync(logDir, { recursive: true });
  // Whoever read the terminal may leave, `| head` or a lost ssh session; that is no reason to stop scanning.
  terminal.on("error", () => {});
  const text = openFile("openscan_firmware.log", logDir, terminal);
  const detailed = openFile("openscan_detailed_log.json", logDir, terminal);
  return pino(
    {
      level: logLevel,
      base: null,
      messageKey: "message",
      timestamp: () => `,"asctime":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ levelname: label.toUpperCase() }) },
    },
    {
      write(written: string) {
        const json = redact(written);
        const line = textLine(json);
        terminal.write(line);
        text(line);
        detailed(json);
      },
    },
  );
}

function openFile(name: string, path: string, terminal: NodeJS.WritableStream): (line: string) => void {
  const file = createStream(name, { path, ...rotation });
  let usable = true;
  const giveUp = (error: Error) => {
    if (usable) terminal.write(`${name} is not written any more: ${error.message}\n`);
    usable = false;
    file.destroy();
  };
  file.on("error", giveUp);
  file.on("warning", giveUp);
  return (line) => {
    if (usable && file.writableLength < maxWaitingBytes) file.write(line);
  };
}

/** `time - LEVEL - message key=value …`, the layout that log viewers of the existing UI split by level. */
function textLine(json: string): string {
  const { asctime, levelname, message, ...fields } = JSON.parse(json) as Record<
    "asctime" | "levelname" | "message",
    string
  > &
    Record<string, unknown>;
  const details = Object.entries(fields).map(([key, value]) => ` ${key}=${textOf(value)}`);
  return `${asctime} - ${levelname} - ${message}${details.join("")}\n`;
}

function textOf(value: unknown): string {
  if (typeof value === "string") return /\s/.test(value) ? JSON.stringify(value) : value;
  const { stack } = Object(value) as { stack?: string };
  return stack ?? JSON.stringify(value);
}
