import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { subprotocols } from "@openscan/protocol";

export type Credentials = { readonly token: string } | { readonly ticket: string };

type Headers = IncomingMessage["headers"];

/** The token of a request, wherever one may stand, else its ticket. A token in a URL is none: URLs are kept. */
export function credentialsOf(
  { headers, url = "" }: Pick<IncomingMessage, "headers" | "url">,
  offeredSubprotocols: readonly string[],
): Credentials | undefined {
  const token = bearer(headers) ?? offered(offeredSubprotocols);
  if (token !== undefined) return { token };
  const query = url.indexOf("?");
  const ticket = query < 0 ? null : new URLSearchParams(url.slice(query + 1)).get("ticket");
  return ticket === null ? undefined : { ticket };
}

const bearer = ({ authorization = "" }: Headers) => /^Bearer +(\S+)$/i.exec(authorization)?.[1];

function offered(names: readonly string[]): string | undefined {
  const name = names.find((candidate) => candidate.startsWith(subprotocols.bearerPrefix));
  return name && Buffer.from(name.slice(subprotocols.bearerPrefix.length), "base64url").toString();
}

/**
 * Who is asking. A proxy on this machine has an address of this machine and appends the client's to
 * `X-Forwarded-For`; from anywhere else that header is only a claim.
 */
export function addressOf({
  headers,
  socket,
}: Pick<IncomingMessage, "headers"> & {
  readonly socket: { readonly remoteAddress?: string | undefined };
}): string {
  const { remoteAddress = "" } = socket;
  if (!/^(?:::ffff:)?127\.|^::1$/.test(remoteAddress)) return remoteAddress;
  const forwarded = [headers["x-forwarded-for"] ?? []].flat().join(",").split(",").at(-1)?.trim() ?? "";
  return isIP(forwarded) ? forwarded : remoteAddress;
}
