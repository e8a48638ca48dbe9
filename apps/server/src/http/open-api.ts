import { dirname } from "node:path";
import { createRequire } from "node:module";
import type { Endpoint } from "@openscan/protocol";
import { openApiDocument } from "@openscan/protocol/openapi";
import express, { type Router } from "express";
import { mounts } from "./mounts.js";

const swaggerFolder = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
const swaggerFiles = new Set(["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"]);

/** Below each mount: the OpenAPI document of its version, and a page to read it and try it out without internet. */
export function openApi(endpoints: readonly Endpoint[]): Router {
  const router = express.Router();
  const files = express.static(swaggerFolder, { index: false, maxAge: "1h" });
  for (const [mount, version] of Object.entries(mounts)) {
    const below = express.Router();
    const texts = new Map<string, string>();
    below.get("/openapi.json", (req, res) => {
      // Below a proxy's prefix as well: `/api/v0.9`.
      const at = req.baseUrl;
      const text = texts.get(at) ?? JSON.stringify(openApiDocument({ endpoints, version, mount: at }));
      texts.set(at, text);
      res.type("json").send(text);
    });
    below.get("/docs", (_req, res) => void res.type("html").send(page(version)));
    below.get("/redoc", (req, res) => res.redirect(307, `${req.baseUrl}/docs`));
    below.use("/docs", (req, res, next) => {
      if (swaggerFiles.has(req.path.slice(1))) files(req, res, next);
      else next();
    });
    router.use(`/${mount}`, below);
  }
  return router;
}

const page = (version: string) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>OpenScan3 API ${version}</title>
<link rel="icon" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
<div id="api"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script>
  SwaggerUIBundle({ url: "openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null });
</script>
</html>
`;
