import type { DeviceStatus, Task } from "@openscan/protocol";
import { FakeClock, settle } from "@openscan/runtime/testing";
import { createScannerClient, type ScannerClientOptions } from "../../src/index.js";
import { device } from "./fixtures.js";
import { fakeSockets } from "./fake-socket.js";
import { Recorder } from "./recorder.js";

/** A client on a clock that stands still, with sockets and REST answers in the test's hand. */
export function fakeScanner(options: Partial<ScannerClientOptions> = {}) {
  const clock = new FakeClock();
  const sockets = fakeSockets();
  const errors: unknown[] = [];
  const rest = {
    tasks: [] as Task[],
    device: device("one") as DeviceStatus | null,
    requests: [] as string[],
    /** What to answer instead; `undefined` leaves it to the state above. */
    answer: (_url: string): Response | undefined | Promise<Response> => undefined,
  };
  const usual = (url: string): Response => {
    if (url.endsWith("/tasks/")) return Response.json(rest.tasks);
    if (rest.device) return Response.json(rest.device);
    return Response.json({ detail: { message: "Device configuration is not loaded." } }, { status: 503 });
  };
  const client = createScannerClient({
    url: "http://scanner:8000",
    WebSocket: sockets.WebSocket,
    fetch: async (url, { signal }) => {
      rest.requests.push(url);
      const aborted = new Promise<never>((_resolve, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason));
      });
      return (await Promise.race([rest.answer(url), aborted])) ?? usual(url);
    },
    clock,
    random: () => 1,
    onError: (error) => errors.push(error),
    ...options,
  });
  return {
    client,
    clock,
    sockets,
    rest,
    errors,
    /** Accepts the newest connection and lets its snapshot arrive. */
    async accept() {
      await settle();
      sockets.last.accept();
      await settle();
      await settle();
    },
    recordTasks: () => new Recorder(client.tasks),
    recordDevice: () => new Recorder(client.device),
  };
}
