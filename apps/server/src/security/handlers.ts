import { createTicket, ScanError } from "@openscan/protocol";
import type { NextFunction, Request, RequestHandler, Response } from "express";
import { belowMounts } from "../http/mounts.js";
import { type Route, route } from "../http/route.js";
import type { Access, Asked } from "./access.js";
import type { Refusal } from "./refusal.js";
import type { Senders } from "./senders.js";
import { ticketLifeMs } from "./tickets.js";

const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** Whether a method promises to change nothing; all that browsers send without asking first, besides POST. */
export const isSafe = (method: string): boolean => safeMethods.has(method);

/** Lets a request pass unless it is refused. */
export function decide(refusal: Refusal | undefined, res: Response, next: NextFunction): void {
  if (!refusal) {
    next();
    return;
  }
  res.set(refusal.headers ?? {});
  next(new ScanError(refusal.code, refusal.detail));
}

export const checkHost =
  (senders: Senders): RequestHandler =>
  (req, res, next) =>
    decide(senders.refuseHost(req), res, next);

const ticketPath = belowMounts("/auth/ticket");
// What runs and how it is doing must be known to whoever is to enter a token, and to whoever watches the machine.
// The pages, and the descriptions of the API and its streams, are the same everywhere and hold no secret.
const openPath = /^(?:\/api)?\/(?:health|versions)$|^\/(?:docs|status|[\w-]+\.(?:html|css|js))?$/;
const descriptionPath = belowMounts("/(?:asyncapi\\.json|openapi\\.json|redoc|docs(?:/[\\w.-]+)?)");

export const checkToken =
  (access: Access): RequestHandler =>
  (req, res, next) => {
    if (isSafe(req.method) && (openPath.test(req.path) || descriptionPath.test(req.path))) next();
    else decide(access.refuse(req, { intent: intentOf(req) }), res, next);
  };

// As the existing API has it, this GET stores what it finds in the camera's settings. Routers ignore case.
const changingPath = new RegExp(belowMounts("/develop/crop_image/?").source, "i");

function intentOf({ method, path }: Request): Asked["intent"] {
  if (isSafe(method) && !(changingPath.test(path) && method !== "OPTIONS")) return "read";
  return method === "POST" && ticketPath.test(path) ? "ticket" : "change";
}

export const ticketRoutes = (access: Access): Route[] => [
  route(createTicket, (_input, { req, res }) => {
    res.set("Cache-Control", "no-store");
    return { ticket: access.newTicket(req), expires_in_ms: ticketLifeMs };
  }),
];
