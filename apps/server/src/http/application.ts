import { apiVersions, type Health, latestVersion, type Versions } from "@openscan/protocol";
import type { Logger } from "@openscan/runtime";
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from "express";
import type { Access } from "../security/access.js";
import { checkHost, checkToken, ticketRoutes } from "../security/handlers.js";
import type { Senders } from "../security/senders.js";
import { cors } from "./cors.js";
import { type MountOptions, versionRouter } from "./mount.js";
import { mounts } from "./mounts.js";
import { openApi } from "./open-api.js";
import { errorReplies } from "./problems.js";
import type { Route } from "./route.js";
import { singlePageUi } from "./single-page-ui.js";

export interface ApplicationOptions extends MountOptions {
  readonly log: Logger;
  readonly senders: Senders;
  readonly access: Access;
  /** Takes secrets out of an error reply. */
  readonly redact: (text: string) => string;
  readonly health: () => Health;
  /** Answers what tells of the server itself. */
  readonly documents: RequestHandler;
  /** Settles once the API can answer. */
  readonly ready: Promise<void>;
  /** Folder with the built-in pages: `/` or `/status`, `/docs`. */
  readonly publicDir: string;
  /** Folder of a UI that is shown at `/` instead. */
  readonly uiDir?: string | undefined;
}

const numbered = apiVersions.filter((version) => version !== "next");
const versions: Versions = { versions: [...numbered], latest: `v${latestVersion}` };

/** A foreign page that shows ours in a frame could have its visitor click on it unknowingly. */
const unframed = ["Content-Security-Policy", "frame-ancestors 'self'"] as const;

/** Whether a body that is no JSON matters is for the operation to say: most want none. */
const keepUnreadable: ErrorRequestHandler = (error, _req, res, next) => {
  if ((error as { type?: string }).type !== "entity.parse.failed") {
    next(error);
    return;
  }
  res.locals["unreadable"] = error;
  next();
};

/** The whole HTTP surface; everything also answers below `/api`, for proxies that do not strip it. */
export function createApplication(routes: readonly Route[], options: ApplicationOptions): Express {
  const api = express.Router();
  api.get("/versions", (_req, res) => void res.json(versions));
  api.get("/health", (_req, res) => {
    const health = options.health();
    res.status(health.status === "ok" ? 200 : 503).json(health);
  });
  api.use(options.documents);
  const tickets = ticketRoutes(options.access);
  const all = [...routes, ...tickets];
  api.use(openApi(all.map(({ endpoint }) => endpoint)));
  // A UI asks as soon as its socket is open, which is before the device is: it gets its answer a moment later.
  api.use(async (_req, _res, next) => {
    await options.ready;
    next();
  });
  api.use(versionRouter(tickets, latestVersion, options));
  const routers = new Map(apiVersions.map((version) => [version, versionRouter(all, version, options)]));
  for (const [prefix, version] of Object.entries(mounts))
    api.use(`/${prefix}`, routers.get(version) as express.Router);

  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("query parser", "simple");
  app.use(checkHost(options.senders));
  app.use(cors(options.senders));
  // A UI's files are no secret, and whoever is to enter a token needs them.
  if (options.uiDir !== undefined) app.use(singlePageUi(options.uiDir));
  app.use(checkToken(options.access));
  // Scripts often forget the content type; nothing but JSON is ever sent here.
  app.use(express.json({ type: () => true, strict: false, limit: "1mb" }), keepUnreadable);
  app.use("/api", api);
  app.use(api);
  app.use(
    express.static(options.publicDir, {
      index: "status.html",
      // `/docs` is `docs.html`.
      extensions: ["html"],
      setHeaders: (res) => res.setHeader(...unframed),
    }),
  );
  app.use((_req, res) => void res.status(404).json({ detail: "Not Found" }));
  app.use(errorReplies(options.log, options.redact));
  return app;
}
