import { asyncApiDocument } from "@openscan/protocol/asyncapi";
import express, { type Router } from "express";
import { mounts } from "./mounts.js";

export interface DocumentsOptions {
  readonly version: string;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
}

/** What tells of the server itself; it needs no device. */
export function documents({ version, metrics }: DocumentsOptions): Router {
  const router = express.Router();
  const prefixes = Object.keys(mounts);
  let last = { host: "", text: "" };
  router.get(
    ["", ...prefixes.map((prefix) => `/${prefix}`)].map((below) => `${below}/asyncapi.json`),
    (req, res) => {
      const host = req.get("Host") ?? "localhost";
      // Drawing it up takes a small machine a while, and readers come back under the same name.
      if (last.host !== host)
        last = { host, text: JSON.stringify(asyncApiDocument({ version, host, mounts: prefixes })) };
      res.type("json").send(last.text);
    },
  );
  router.get("/metrics", async (_req, res) => {
    res.set("Content-Type", metrics.contentType).send(await metrics.text());
  });
  return router;
}
