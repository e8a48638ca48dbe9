import { ConnectionError } from "./connection-error.js";

/** What the client uses of a WebSocket; that of browsers, of Node 22 and of the `ws` package fit. */
export interface SocketLike {
  send(text: string): void;
  close(code?: number): void;
  /** Drops the connection without a closing handshake, where the implementation can. */
  terminate?(): void;
  addEventListener(type: "open" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: "close",
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
}
export type SocketConstructor = new (url: string, protocols?: string[]) => SocketLike;

/**
 * The runtime's own WebSocket, else that of the `ws` package.
 *
 * @throws ConnectionError (final) when there is neither, as in Node 20 without `ws`
 */
export async function findWebSocket(fallback = "ws"): Promise<SocketConstructor> {
  if (typeof globalThis.WebSocket === "function") return globalThis.WebSocket;
  try {
    // Not a literal, so that bundlers for browsers, which never get here, do not look for the package.
    const found = (await import(/* @vite-ignore */ /* webpackIgnore: true */ fallback)) as {
      WebSocket: SocketConstructor;
    };
    return found.WebSocket;
  } catch (cause) {
    throw new ConnectionError(
      "no WebSocket in this runtime: install ws, or pass createScannerClient({ WebSocket })",
      { final: true, cause },
    );
  }
}
