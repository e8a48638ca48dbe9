import type { RequestHandler } from "express";

/** Any origin may call, as UIs in developer mode and scripts in pages need it. */
export const cors: RequestHandler = (req, res, next) => {
  const origin = req.get("Origin");
  if (origin === undefined) {
    next();
    return;
  }
  res.set("Access-Control-Allow-Credentials", "true");
  const preflight = req.method === "OPTIONS" && req.get("Access-Control-Request-Method") !== undefined;
  const echo = preflight || req.get("Cookie") !== undefined;
  res.set("Access-Control-Allow-Origin", echo ? origin : "*");
  if (echo) res.vary("Origin");
  if (!preflight) {
    next();
    return;
  }
  res.set("Access-Control-Allow-Methods", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
  res.set("Access-Control-Allow-Headers", req.get("Access-Control-Request-Headers") ?? "*");
  res.set("Access-Control-Max-Age", "600");
  res.status(200).end();
};
