const offer = new Set(["connection", "upgrade", "http2-settings"]);
/**
 * Gives a request that offers another protocol (some HTTP clients offer `h2c` with every request) back to the
 * HTTP server without the offer, which is how RFC 9110, section 7.8, declines one. Node would do so by itself
 * if nobody listened to `upgrade`.
 */
export function declineUpgrade(server, request, socket, head) {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (!offer.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[index + 1]}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]));
  server.emit("connection", socket);
}
//# sourceMappingURL=decline-upgrade.js.map
