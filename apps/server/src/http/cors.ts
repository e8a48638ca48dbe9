import type { RequestHandler } from "express";
import { decide, isSafe } from "../security/handlers.js";
import type { Senders } from "../security/senders.js";
import { exposedHeaders } from "./stream-position.js";

/**
 * Pages of our own network may call, as UIs in developer mode need it. A foreign page may neither change anything
 * nor read what it gets: a browser does the first unasked and withholds the second unless a reply allows it.
 */
export function cors(senders: Senders): RequestHandler {
  return (req, res, next) => {
    // A cache must not hand a reply that one origin may read to another.
    res.vary("Origin");
    const origin = req.get("Origin");
    if (origin === undefined) {
      next();
      return;
    }
    const preflight = req.method === "OPTIONS" && req.get("Access-Control-Request-Method") !== undefined;
    const refusal = senders.refuseOrigin(req);
    if (refusal) {
      decide(isSafe(req.method) && !preflight ? undefined : refusal, res, next);
      return;
    }
    res.set("Access-Control-Allow-Credentials", "true");
    res.set("Access-Control-Allow-Origin", preflight || req.get("Cookie") !== undefined ? origin : "*");
    if (!preflight) {
      res.set("Access-Control-Expose-Headers", exposedHeaders);
      next();
      return;
    }
    res.set("Access-Control-Allow-Methods", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
    res.set("Access-Control-Allow-Headers", req.get("Access-Control-Request-Headers") ?? "*");
    res.set("Access-Control-Max-Age", "600");
    res.status(200).end();
  };
}
