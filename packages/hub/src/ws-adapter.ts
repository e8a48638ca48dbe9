import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { closeCodes, type NamespaceName, subprotocols } from "@openscan/protocol";
import { WebSocketServer } from "ws";
import { declineUpgrade } from "./decline-upgrade.js";
import { type Hub, maxReasonBytes } from "./hub.js";
import { refuseUpgrade } from "./refuse-upgrade.js";
import { legacyRequest, requestInQuery, type StreamRequest } from "./stream-request.js";

const maxInboundBytes = 64 * 1024;
const protocolVersion = "1";
const websocketVersion = "13";

/** Why a client is not let in. */
export interface Refusal {
  /** Of the HTTP answer, with `detail` in its body. */
  readonly status: number;
  readonly detail: string;
  /** Further headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For clients that offer v1, in place of the HTTP answer: the reason, where a browser can see it. */
  readonly closeCode?: 4401 | 4403;
}

export interface AttachOptions {
  /** The namespace that a path (without query) leads to. */
  readonly route: (pathname: string) => NamespaceName | undefined;
  /** Who may come in; default: everybody. */
  readonly admit?: (request: IncomingMessage, offeredSubprotocols: readonly string[]) => Refusal | undefined;
}

/** A connection that is accepted only to be closed, because browsers do not show why a handshake failed. */
interface Farewell {
  readonly closeCode: number;
  readonly reason: string;
}

/**
 * Answers the server's WebSocket upgrades: paths that `route` knows lead into `hub`, others get 404. Offers of
 * another protocol are declined.
 *
 * @returns undoes it; connections that exist stay until the hub closes
 */
export function attachHub(server: Server, hub: Hub, { route, admit }: AttachOptions): () => void {
  const handshakes = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxInboundBytes,
    handleProtocols: (offered) => echoed([...offered]) ?? false,
  });
  handshakes.on("wsClientError", (error, socket) => refuseMalformed(socket, error.message));
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.headers.upgrade?.toLowerCase() !== "websocket") {
      declineUpgrade(server, request, socket, head);
      return;
    }
    // The HTTP server has let go of the socket; without a listener, a reset would end the process.
    socket.on("error", destroy);
    const { pathname, query } = target(request);
    const namespace = route(pathname);
    if (!namespace) {
      refuseUpgrade(socket, 404);
      return;
    }
    if (request.method !== "GET") {
      refuseUpgrade(socket, 405);
      return;
    }
    const missing = missingHeader(request);
    if (missing) {
      refuseMalformed(socket, `Missing or invalid ${missing} header`);
      return;
    }
    const offered = offeredSubprotocols(request);
    const refusal = admit?.(request, offered);
    if (refusal && !(refusal.closeCode && offered.includes(subprotocols.v1))) {
      refuseUpgrade(socket, refusal.status, refusal.detail, refusal.headers);
      return;
    }
    const asked = refusal ? farewell(refusal) : requested(namespace, offered, query);
    handshakes.handleUpgrade(request, socket, head, (webSocket) => {
      const sockets = { webSocket, tcp: request.socket };
      const closed =
        "closeCode" in asked
          ? hub.turnAway(namespace, sockets, asked.closeCode, asked.reason)
          : hub.accept(namespace, sockets, asked);
      webSocket.on("close", closed);
    });
  };
  server.on("upgrade", upgrade);
  return () => void server.off("upgrade", upgrade);
}

/** What `ws` would do without, of the headers that tell who asks. */
function missingHeader({ headers }: IncomingMessage): string | undefined {
  if (headers.host === undefined) return "Host";
  // `ws` knows version 8 too, whose browsers tell their page in another header than `Origin`.
  return headers["sec-websocket-version"] === websocketVersion ? undefined : "Sec-WebSocket-Version";
}

function refuseMalformed(socket: Duplex, detail: string): void {
  refuseUpgrade(socket, 400, detail, { "Sec-WebSocket-Version": websocketVersion });
}

/** Not a closure, which would keep the request alive as long as the socket. */
function destroy(this: Duplex): void {
  this.destroy();
}

function farewell({ closeCode = closeCodes.forbidden.code, detail }: Refusal): Farewell {
  let reason = detail;
  while (Buffer.byteLength(reason) > maxReasonBytes) reason = reason.slice(0, -1);
  return { closeCode, reason };
}

/** The dialect and what is asked of it. A legacy client may write into its query what it wants. */
function requested(
  namespace: NamespaceName,
  offered: readonly string[],
  query: URLSearchParams,
): StreamRequest | Farewell {
  const version = query.getAll("v").at(-1);
  if (version !== undefined && version !== protocolVersion) {
    return { closeCode: closeCodes.versionNotSupported.code, reason: "the only version is 1" };
  }
  if (version === undefined && !offered.includes(subprotocols.v1)) return legacyRequest;
  return requestInQuery(namespace, query);
}

function target({ url = "" }: IncomingMessage) {
  const at = url.indexOf("?");
  const pathname = at < 0 ? url : url.slice(0, at);
  return { pathname, query: new URLSearchParams(at < 0 ? "" : url.slice(at + 1)) };
}

function offeredSubprotocols({ headers }: IncomingMessage): string[] {
  const offered = headers["sec-websocket-protocol"];
  return offered === undefined ? [] : offered.split(",").map((name) => name.trim());
}

/**
 * The subprotocol that the answer names. To echo one claims that it is spoken, and browsers fail a connection
 * whose offers were all passed over: a token that is the only offer has to be echoed.
 */
function echoed(offered: readonly string[]): string | undefined {
  if (offered.includes(subprotocols.v1)) return subprotocols.v1;
  return offered.length === 1
    ? offered.find((name) => name.startsWith(subprotocols.bearerPrefix))
    : undefined;
}
