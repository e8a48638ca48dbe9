import type { DeviceStatus, Task } from "@openscan/protocol";
import { FakeClock, settle } from "@openscan/runtime/testing";
import { createScannerClient, type ScannerClientOptions } from "../../src/index.js";
import { device } from "./fixtures.js";
import { fakeSockets } from "./fake-socket.js";
import { deviceEvents, Recorder, taskEvents, views } from "./recorder.js";

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
    /** Accepts the newest connection as a server of the legacy dialect and lets its REST answer arrive. */
    async acceptLegacy() {
      sockets.last.accept();
      sockets.last.receive({ type: "ping" });
      await settle();
      await settle();
    },
    /** Accepts the newest connection as a v1 server. */
    accept(...messages: readonly object[]) {
      sockets.last.accept();
      sockets.last.receive(...messages);
    },
    tasks: () => new Recorder(taskEvents(client)),
    device: () => new Recorder(deviceEvents(client)),
    views: <State>(store: Parameters<typeof views<State>>[0]) => new Recorder(views(store)),
  };
}
