import { mkdirSync } from "node:fs";
import { Writable } from "node:stream";
import pino, { type Logger } from "pino";
import { createStream } from "rotating-file-stream";
import type { Config } from "./config.js";

const rotation = { size: "10M", rotate: 5 } as const;

/**
 * Lines of text on the terminal and in `openscan_firmware.log`, JSON in `openscan_detailed_log.json`; both files
 * are rotated at 10 MiB, five old ones are kept.
 */
export function openLog({ logDir, logLevel }: Config, terminal: NodeJS.WritableStream): Logger {
  mkdirSync(logDir, { recursive: true });
  const text = asText(terminal, createStream("openscan_firmware.log", { path: logDir, ...rotation }));
  const detailed = createStream("openscan_detailed_log.json", { path: logDir, ...rotation });
  // A full disk must not end the scanner; the terminal still gets every line.
  detailed.on("error", (error) => terminal.write(`cannot write the detailed log: ${error.message}\n`));
  return pino(
    {
      level: logLevel,
      base: null,
      messageKey: "message",
      timestamp: () => `,"asctime":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ levelname: label.toUpperCase() }) },
    },
    pino.multistream([
      { level: "debug", stream: text },
      { level: "debug", stream: detailed },
    ]),
  );
}

function asText(terminal: NodeJS.WritableStream, file: Writable): Writable {
  file.on("error", (error) => terminal.write(`cannot write the log: ${error.message}\n`));
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const line = textLine(chunk.toString());
      terminal.write(line);
      file.write(line);
      done();
    },
  });
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
