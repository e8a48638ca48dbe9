import { extname, join } from "node:path";
import express, { type RequestHandler, Router } from "express";
import { isSafe } from "../security/handlers.js";
import { mounts } from "./mounts.js";

/** First segments of the paths that are ours, whatever UI is served beside them. */
const own = new Set([
  ...Object.keys(mounts),
  ...["api", "asyncapi.json", "auth", "docs", "health", "metrics", "status", "versions", "ws"],
  ...["docs.css", "docs.js", "status.css", "status.js"],
]);

/** What a build consists of; a name in a view's address may have a dot too. */
const asset = /\.(?:css|gif|ico|jpe?g|js|json|map|mjs|png|svg|ttf|txt|wasm|webmanifest|webp|woff2?|xml)$/i;

/**
 * Serves the built files of a single-page UI. A path that is no file is a view of the UI, which its `index.html` shows;
 * a missing script or picture stays missing.
 */
export function singlePageUi(directory: string): RequestHandler {
  const router = Router();
  router.use((req, _res, next) => next(isSafe(req.method) && !isOwn(req.path) ? undefined : "router"));
  router.use(
    express.static(directory, {
      redirect: false,
      setHeaders: (res, path) => {
        // A browser that kept it would look for scripts of an older version.
        if (extname(path) === ".html") res.setHeader("Cache-Control", "no-cache");
      },
    }),
  );
  router.use((req, res, next) => {
    if (asset.test(req.path) && !req.get("Accept")?.includes("text/html")) {
      next("router");
      return;
    }
    res.set("Cache-Control", "no-cache");
    res.sendFile(join(directory, "index.html"), { cacheControl: false, dotfiles: "allow" }, (error) => {
      if (error && !res.headersSent) next(error);
    });
  });
  return router;
}

const isOwn = (path: string) => own.has(path.split("/")[1] ?? "");
