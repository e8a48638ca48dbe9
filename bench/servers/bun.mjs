// Runs in Bun, whose server is uWebSockets: bun bun.mjs
import { takeOrders } from "./orders.mjs";

const server = globalThis.Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: (request, server) => (server.upgrade(request) ? undefined : new Response(null, { status: 400 })),
  websocket: {
    perMessageDeflate: false,
    open: (socket) => socket.subscribe("device"),
    message() {},
  },
});
takeOrders({ port: server.port, publish: (event) => server.publish("device", JSON.stringify(event)) });
