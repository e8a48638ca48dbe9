import type { ScannerClientOptions } from "@openscan/client-sdk";
import { WebSocket } from "ws";

type Constructor = NonNullable<ScannerClientOptions["WebSocket"]>;
type Received = (message: Readonly<Record<string, unknown>>) => void;

/**
 * The WebSocket of the package `ws` with somebody who looks over the client's shoulder.
 *
 * @param connect called for each new connection; what it returns gets each message before the client does
 */
export function watchedSocket(connect: (url: string) => Received): Constructor {
  return class extends WebSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols);
      const received = connect(url);
      this.on("message", (text: Buffer) => received(JSON.parse(text.toString()) as Record<string, unknown>));
    }
  };
}
