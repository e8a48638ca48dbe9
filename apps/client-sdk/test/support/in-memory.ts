import { FakeClock } from "@openscan/runtime/testing";
import { createScannerClient } from "../../src/index.js";
import { createFakeScanner, type FakeScannerOptions } from "../../src/testing/index.js";

/** A scanner in memory and a client of it, on a clock that stands still. */
export function inMemory(options: FakeScannerOptions = {}) {
  const clock = new FakeClock();
  const scanner = createFakeScanner({ clock, ...options });
  const errors: unknown[] = [];
  let opened = 0;
  const client = createScannerClient({
    url: scanner.url,
    WebSocket: class extends scanner.WebSocket {
      constructor(url: string, protocols?: string[]) {
        super(url, protocols);
        opened++;
      }
    },
    fetch: scanner.fetch,
    clock,
    random: () => 0.5,
    onError: (error) => errors.push(error),
  });
  return {
    clock,
    scanner,
    client,
    errors,
    /** Sockets opened so far. */
    get opened() {
      return opened;
    },
  };
}
