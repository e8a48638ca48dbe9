import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

/** Answers a handshake with an error in the shape of the REST API. */
export function refuseUpgrade(
  socket: Duplex,
  status: number,
  detail = STATUS_CODES[status],
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = JSON.stringify({ detail });
  // Unread input would turn the close into a reset, which may overtake the answer.
  socket.resume();
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      "Content-Type: application/json",
      `Content-Length: ${Buffer.byteLength(body)}`,
      "Connection: close",
      "",
      body,
    ].join("\r\n"),
    () => socket.destroy(),
  );
}
