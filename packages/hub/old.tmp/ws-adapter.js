import { STATUS_CODES } from "node:http";
import { WebSocketServer } from "ws";
import { declineUpgrade } from "./decline-upgrade.js";
const maxInboundBytes = 64 * 1024;
/**
 * Answers the server's WebSocket upgrades: paths that `route` knows lead into `hub`, others get 404. Offers of
 * another protocol are declined.
 *
 * @returns undoes it; connections that exist stay until the hub closes
 */
export function attachHub(server, hub, { route }) {
  const handshakes = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: maxInboundBytes,
    // To echo a subprotocol would claim that it is spoken.
    handleProtocols: () => false,
  });
  const upgrade = (request, socket, head) => {
    if (request.headers.upgrade?.toLowerCase() !== "websocket") {
      declineUpgrade(server, request, socket, head);
      return;
    }
    // The HTTP server has let go of the socket; without a listener, a reset would end the process.
    socket.on("error", () => socket.destroy());
    const namespace = route(pathname(request));
    if (!namespace) {
      refuse(socket, 404);
      return;
    }
    handshakes.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on("close", hub.accept(namespace, { webSocket, tcp: request.socket }));
    });
  };
  server.on("upgrade", upgrade);
  return () => void server.off("upgrade", upgrade);
}
function pathname({ url = "" }) {
  const query = url.indexOf("?");
  return query < 0 ? url : url.slice(0, query);
}
/** Answers a handshake with an error in the shape of the REST API. */
function refuse(socket, status) {
  const reason = STATUS_CODES[status];
  const body = JSON.stringify({ detail: reason });
  // Unread input would turn the close into a reset, which may overtake the answer.
  socket.resume();
  socket.end(
    [
      `HTTP/1.1 ${status} ${reason}`,
      "Content-Type: application/json",
      `Content-Length: ${Buffer.byteLength(body)}`,
      "Connection: close",
      "",
      body,
    ].join("\r\n"),
    () => socket.destroy(),
  );
}
//# sourceMappingURL=ws-adapter.js.map
