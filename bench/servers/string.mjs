import { WebSocketServer } from "ws";

/** What one gets from `ws` without thinking twice: an event is stringified once, `ws` frames it for each client. */
export function open(server) {
  const { clients } = new WebSocketServer({ server, perMessageDeflate: false });
  return (event) => {
    const text = JSON.stringify(event);
    for (const client of clients) if (client.readyState === client.OPEN) client.send(text);
  };
}
