import type { Request } from "express";

/** One path or more, of what needs no escape. */
const plainPath = /^(?:\/[\w.~-]+)+$/;

/**
 * URL of the mount that a request came through, as its sender knows it: a proxy may have taken a prefix off, or speak
 * HTTPS for us. Only to be told to that sender, who can make it say what it likes.
 */
export function baseUrl(req: Request): string {
  const scheme = forwarded(req, "X-Forwarded-Proto");
  const host = req.get("Host") ?? `localhost:${req.socket.localPort}`;
  const prefix = forwarded(req, "X-Forwarded-Prefix")?.replace(/\/$/, "") ?? "";
  const isMissing = plainPath.test(prefix) && !`${req.baseUrl}/`.startsWith(`${prefix}/`);
  return `${scheme === "https" ? scheme : req.protocol}://${host}${isMissing ? prefix : ""}${req.baseUrl}`;
}

/** What the outermost of several proxies said. */
function forwarded(req: Request, header: string): string | undefined {
  return req.get(header)?.split(",")[0]?.trim();
}
