// A server on Node's HTTP server, in a process of its own: node main.mjs <file of this folder>
import { once } from "node:events";
import { createServer } from "node:http";
import { takeOrders } from "./orders.mjs";
import { watchSockets } from "./watch-sockets.mjs";

const { open } = await import(`./${process.argv[2]}.mjs`);
const server = createServer();
const watch = watchSockets(server);
const publish = open(server);
server.listen(0, "127.0.0.1", 4096);
await once(server, "listening");
takeOrders({ port: server.address().port, publish, orders: { watch } });
