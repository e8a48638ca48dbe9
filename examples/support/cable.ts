import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** The way to a server, which can be cut. Chromium's own "offline" leaves WebSockets alone. */
export interface Cable {
  readonly url: string;
  /** Ends all connections; new ones are refused. */
  pull(): void;
  plug(): void;
  remove(): Promise<void>;
}

export async function layCable(serverUrl: string): Promise<Cable> {
  const port = Number(new URL(serverUrl).port);
  const sockets = new Set<Socket>();
  let isPulled = false;
  const join = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.on("close", () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const near = createServer((socket) => {
    if (isPulled) {
      socket.destroy();
      return;
    }
    const far = connect(port, "127.0.0.1");
    join(socket, far);
    join(far, socket);
  });
  near.listen(0, "127.0.0.1");
  await once(near, "listening");
  const cable: Cable = {
    url: `http://127.0.0.1:${(near.address() as AddressInfo).port}`,
    pull() {
      isPulled = true;
      for (const socket of sockets) socket.destroy();
    },
    plug() {
      isPulled = false;
    },
    async remove() {
      cable.pull();
      near.close();
      await once(near, "close");
    },
  };
  return cable;
}
