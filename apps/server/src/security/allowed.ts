import { isIPv6 } from "node:net";
import { z } from "zod";
import { parseHost } from "./host-name.js";

/** A host name or address as an option gives it: without port; IPv6 with or without brackets. */
export const AllowedHost = z.string().transform((text, context) => {
  const bare = isIPv6(text) ? `[${text}]` : text;
  const host = /:\d+$/.test(bare) ? undefined : parseHost(bare);
  if (host !== undefined) return host;
  context.addIssue({ code: "custom", message: "no host name" });
  return z.NEVER;
});

/** An origin as an option gives it, in the spelling of browsers: `https://name`, with the port unless it is the usual one. */
export const AllowedOrigin = z.string().transform((text, context) => {
  const origin = canonicalOrigin(text);
  if (origin !== undefined) return origin;
  context.addIssue({ code: "custom", message: "no origin" });
  return z.NEVER;
});

function canonicalOrigin(text: string): string | undefined {
  const lower = text.toLowerCase();
  if (lower === "null") return lower;
  if (!/^[a-z][a-z\d+.-]*:\/\/[^\s/?#@*]+$/.test(lower)) return undefined;
  // Schemes of browser extensions and apps have no origin for a URL parser.
  if (!/^https?:/.test(lower)) return lower;
  return URL.canParse(lower) ? new URL(lower).origin : undefined;
}
