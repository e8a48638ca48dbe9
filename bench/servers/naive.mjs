import { WebSocketServer } from "ws";

/** What one gets from `ws` without thinking. */
export function open(server) {
  const { clients } = new WebSocketServer({ server, perMessageDeflate: false });
  return (event) => {
    for (const client of clients) if (client.readyState === client.OPEN) client.send(JSON.stringify(event));
  };
}
