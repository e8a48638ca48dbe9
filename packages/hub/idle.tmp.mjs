import { createServer } from "node:http";
import { once } from "node:events";
import { fork } from "node:child_process";
import net from "node:net";
import { WebSocketServer } from "ws";
import v8 from "node:v8";
if (process.argv[2] === "client") {
  process.on("message", async ({ port, n, path }) => {
    const all = [];
    for (let i = 0; i < n; i++) {
      const s = net.connect(port, "127.0.0.1");
      s.write(
        `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
      );
      await once(s, "data");
      s.resume();
      all.push(s);
    }
    process.send("done");
  });
  process.on("disconnect", () => process.exit());
} else {
  const kind = process.argv[2],
    n = +process.argv[3] || 2000;
  const server = createServer();
  let hub;
  if (kind === "ws") {
    const w = new WebSocketServer({ server, perMessageDeflate: false });
    w.on("connection", (c) => c.on("message", () => {}));
  } else {
    const { attachHub, Hub } = await import(kind === "old" ? "./old.tmp/index.js" : "@openscan/hub");
    const { silentLogger, systemClock } = await import("@openscan/runtime");
    hub = new Hub({
      clock: systemClock,
      log: silentLogger,
      server: { name: "a", version: "1" },
      state: { tasks: () => [], device: () => ({ name: "x" }) },
      limits: { connections: 1e5 },
    });
    attachHub(server, hub, { route: () => "device" });
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const child = fork(new URL(import.meta.url), ["client"]);
  const go = (n) =>
    new Promise((r) => {
      child.once("message", r);
      child.send({ port: server.address().port, n, path: kind === "v1" ? "/?v=1" : "/" });
    });
  await go(200);
  gc();
  gc();
  await new Promise((r) => setTimeout(r, 300));
  gc();
  const a = process.memoryUsage();
  await go(n);
  await new Promise((r) => setTimeout(r, 300));
  gc();
  gc();
  const b = process.memoryUsage();
  console.log(
    kind,
    "heap",
    ((b.heapUsed - a.heapUsed) / n).toFixed(0),
    "ext",
    ((b.external - a.external) / n).toFixed(0),
    "rss",
    ((b.rss - a.rss) / n).toFixed(0),
  );
  console.log(
    b.heapTotal - a.heapTotal,
    a.rss,
    b.rss,
    v8
      .getHeapSpaceStatistics()
      .map((s) => s.space_name + ":" + (s.space_size >> 10) + "/" + (s.space_used_size >> 10))
      .join(" "),
  );
  if (process.argv[4]) v8.writeHeapSnapshot("/tmp/heap-" + kind + ".heapsnapshot");
  child.disconnect();
  process.exit();
}
