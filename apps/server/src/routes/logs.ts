import { stat } from "node:fs/promises";
import { join } from "node:path";
import { downloadLogs, tailLogs } from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";
import { type Exchange, type Route, route } from "../http/route.js";
import {
  bytesBetween,
  GrowingFile,
  logFileNames,
  logPath,
  openLogFile,
  startOfTail,
} from "../logs/log-files.js";
import { unlessMissing } from "../projects/folders.js";
import { sendZip } from "./send-zip.js";
import { written } from "./written.js";

interface Parts {
  readonly directory: string;
  readonly clock: Clock;
  /** Brings lines that wait in memory to the disk. */
  readonly flush: () => Promise<void>;
}

/** Looking more often costs much, looking less often makes a dead connection of a living one. */
const pollSeconds = { min: 0.1, max: 60 };
const NEWLINE = 0x0a;

export function logRoutes({ directory, clock, flush }: Parts): Route[] {
  return [
    route(tailLogs, async ({ query }, exchange) => {
      const { req, res } = exchange;
      await flush();
      const isJson = query.format.toLowerCase() === "json";
      const path = logPath(directory, isJson);
      const file = await openLogFile(path);
      try {
        const { size } = await file.stat();
        const start = await startOfTail(file, size, query.lines);
        res.type(isJson ? "application/json" : "text/plain").set("Cache-Control", "no-cache");
        if (req.method === "HEAD") {
          res.end();
        } else if (query.follow && !isJson) {
          const seconds = Math.min(pollSeconds.max, Math.max(pollSeconds.min, query.poll_interval));
          res.set("X-Accel-Buffering", "no").flushHeaders();
          await follow(new GrowingFile(path, file, start), exchange, async (signal) => {
            await clock.sleep(1000 * seconds, signal);
            await flush();
          });
        } else {
          const last = await send(exchange, bytesBetween(file, start, size));
          res.end(last === undefined || last === NEWLINE ? "" : "\n");
        }
      } finally {
        await file.close();
      }
    }),
    route(downloadLogs, async (_input, exchange) => {
      await flush();
      const names = await logFileNames(directory);
      const stats = await Promise.all(names.map((name) => unlessMissing(stat(join(directory, name)))));
      const newest = Math.max(0, ...stats.map((file) => file?.mtimeMs ?? 0));
      await sendZip(exchange, {
        name: `openscan_logs_${fileTime(new Date(clock.now()))}.zip`,
        modified: new Date(newest),
        entries: names.map((name) => ({ name, content: { path: join(directory, name), level: 9 } })),
      });
    }),
  ];
}

/** Sends what is there and then what comes, until the client leaves. */
async function follow(
  file: GrowingFile,
  exchange: Exchange,
  next: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  try {
    while (!exchange.signal.aborted) {
      await send(exchange, file.news());
      await next(exchange.signal);
    }
  } catch (error) {
    if (!exchange.signal.aborted) throw error;
  } finally {
    await file.close();
  }
}

/** As fast as the client takes it. Resolves with the last byte. */
async function send(
  { res, signal }: Pick<Exchange, "res" | "signal">,
  parts: AsyncIterable<Buffer>,
): Promise<number | undefined> {
  let last: number | undefined;
  for await (const part of parts) {
    await written(res, part, signal);
    last = part.at(-1);
  }
  return last;
}

/** `YYYYMMDD_HHMMSS`, by the clock on the wall. */
function fileTime(time: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = [time.getFullYear(), time.getMonth() + 1, time.getDate()];
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()];
  return `${date.map(two).join("")}_${clock.map(two).join("")}`;
}
