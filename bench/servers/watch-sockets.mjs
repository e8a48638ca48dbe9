import { now, tell } from "./orders.mjs";

/**
 * Finds out how long a client that takes nothing is kept, without asking the server's own opinion.
 *
 * @returns starts to tell `{ closedAfterMs }`, counted from the last byte that the kernel took, for every socket
 */
export function watchSockets(server) {
  const sockets = new Map();
  let watching = false;
  const taken = (socket) => socket.bytesWritten - socket.writableLength;
  server.on("connection", (socket) => {
    sockets.set(socket, { bytes: 0, at: now() });
    socket.on("close", () => {
      if (watching) tell({ closedAfterMs: now() - sockets.get(socket).at });
      sockets.delete(socket);
    });
  });
  return () => {
    watching = true;
    setInterval(() => {
      for (const [socket, last] of sockets) {
        if (taken(socket) > last.bytes) sockets.set(socket, { bytes: taken(socket), at: now() });
      }
    }, 50).unref();
  };
}
