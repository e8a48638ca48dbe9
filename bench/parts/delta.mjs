import { WebSocketReader } from "../clients/web-socket.mjs";
import { atMost } from "../goals.mjs";
import { ServerProcess } from "../server-process.mjs";
import { median } from "../statistics.mjs";

export const delta = {
  title: "Bytes on the wire for one changed value, with delta=1",
  peerNames: ["hub"],
  measure,
};

const events = 50;

async function measure({ peers }) {
  const server = await ServerProcess.start(peers.hub.command);
  try {
    const { snapshot, deltas } = await receive(server);
    const delta = median(deltas);
    return {
      rows: [
        { message: "snapshot (device.status)", bytes: snapshot },
        { message: "device.delta, an angle changed", bytes: delta, "x snapshot": delta / snapshot },
      ],
      goals: [atMost("P5 hub (v1): bytes of a delta x snapshot", delta / snapshot, 0.1)],
    };
  } finally {
    server.stop();
  }
}

/** Bytes of the messages that a client gets. */
function receive(server) {
  return new Promise((resolve, reject) => {
    let snapshot = 0;
    const deltas = [];
    const reader = new WebSocketReader({
      port: server.port,
      path: "/?v=1&delta=1",
      onText(text) {
        const { type, snapshot: isSnapshot } = JSON.parse(text);
        if (isSnapshot) {
          snapshot = text.length;
          server.order("run", events, 1, 0, 5);
        } else if (type === "device.delta") deltas.push(text.length);
        if (deltas.length < events - 1) return;
        reader.destroy();
        resolve({ snapshot, deltas });
      },
      onClose: (reason) => reject(new Error(reason)),
    });
    reader.opened.catch(reject);
  });
}
