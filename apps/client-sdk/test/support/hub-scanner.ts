import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { attachHub, Hub } from "@openscan/hub";
import type { NamespaceName } from "@openscan/protocol";
import { recordingLogger, settle, type FakeClock } from "@openscan/runtime/testing";
import type { FakeScanner } from "../../src/testing/index.js";

/** What a session does to the network of a scanner. */
export interface Reachable {
  readonly url: string;
  disconnect(code?: number): void;
  refuse(): void;
  comeBack(): void;
  restart(): void | Promise<void>;
}

/**
 * The real hub on a real port, telling what happens to `scanner`: its events are published there too.
 *
 * @param legacy as a server that knows no other dialect: what is asked for in the query does not count
 */
export async function hubScanner(scanner: FakeScanner, clock: FakeClock, legacy: boolean) {
  const server = createServer();
  const sockets = new Set<Socket>();
  const open = () =>
    new Hub({
      clock,
      log: recordingLogger(),
      server: { name: "hub", version: "0.0.0" },
      state: { device: () => scanner.device, tasks: () => scanner.tasks },
    });
  const route = (path: string) => /\/ws\/(device|tasks)$/.exec(path)?.[1] as NamespaceName | undefined;
  let hub = open();
  let detach = attachHub(server, hub, { route });
  let refused = false;
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    if (refused) socket.destroy();
  });
  server.prependListener("upgrade", (request) => {
    if (legacy) request.url = request.url?.replace(/\?.*/, "");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  for (const namespace of ["device", "tasks"] as const) {
    follow(scanner, namespace, (event) => hub.publish(namespace, event));
  }
  const reachable: Reachable = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    disconnect() {
      for (const socket of sockets) socket.destroy();
    },
    refuse() {
      refused = true;
    },
    comeBack() {
      refused = false;
    },
    async restart() {
      await settle(); // what was told before is of the old one
      detach();
      const closing = hub.close(1012);
      hub = open();
      detach = attachHub(server, hub, { route });
      await clock.run(closing);
    },
  };
  const close = async () => {
    await clock.run(hub.close());
    server.close();
  };
  return { ...reachable, close };
}

/** Everything that happens in a namespace of a scanner in memory. */
function follow(scanner: FakeScanner, namespace: NamespaceName, publish: (event: object) => void): void {
  const socket = new scanner.WebSocket(`ws://scanner.test/latest/ws/${namespace}?v=1`);
  socket.addEventListener("message", ({ data }) => {
    const { seq: _seq, ts: _ts, prev, ...event } = JSON.parse(String(data)) as Record<string, unknown>;
    if (typeof prev === "number") publish(event);
  });
}
