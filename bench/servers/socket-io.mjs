import { Server } from "socket.io";

/** socket.io with its defaults, without the long polling that no client here uses. */
export function open(server) {
  const io = new Server(server, { transports: ["websocket"], serveClient: false });
  return (event) => io.emit("device", event);
}
