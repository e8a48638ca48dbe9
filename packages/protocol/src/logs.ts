import { z } from "zod";
import { defineEndpoint } from "./endpoint.js";

/** The end of a log: lines of text, or with format `json` one JSON object a line. */
export const tailLogs = defineEndpoint({
  operationId: "tail_logs",
  method: "get",
  path: "/logs/tail",
  query: z.object({
    format: z.string().default("text").describe("json, or anything else for text"),
    lines: z.int().default(200),
    follow: z.boolean().default(false).describe("text only: go on with each line that is added"),
    poll_interval: z.number().default(1).describe("s between two looks for new lines"),
  }),
  media: "text/plain",
});
export const downloadLogs = defineEndpoint({
  operationId: "download_logs_archive",
  method: "get",
  path: "/logs/archive",
  media: "application/zip",
});
