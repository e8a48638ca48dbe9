import type { Fetch } from "../rest.js";
import type { FakeNetwork } from "./fake-network.js";
import type { FakeRequest } from "./fake-rest.js";

/** What a scanner says over HTTP when it refuses with a close code. */
const STATUS: ReadonlyMap<number, number> = new Map([
  [4401, 401],
  [4403, 403],
]);

/** A `fetch` that reaches the scanner as far as its network does. `respond` gets the mount and the request. */
export function fakeFetch(
  network: FakeNetwork,
  respond: (mount: string, request: FakeRequest) => Promise<Response>,
): Fetch {
  return async (url, { method = "GET", body, headers, signal }) => {
    signal?.throwIfAborted();
    const { reach } = network;
    if (reach.state === "silent") return forever(signal);
    if (reach.state === "refused" && reach.code === undefined) throw new TypeError("fetch failed");
    if (reach.state === "refused") {
      return Response.json({ detail: "refused" }, { status: STATUS.get(reach.code ?? 0) ?? 503 });
    }
    const { pathname, searchParams } = new URL(url);
    const [, mount = "", path = "/"] = /^\/(?:api\/)?([^/]+)(\/.*)$/.exec(pathname) ?? [];
    const parsed: unknown = typeof body === "string" ? JSON.parse(body) : undefined;
    return respond(mount, { method, path, query: searchParams, body: parsed, headers: new Headers(headers) });
  };
}

function forever(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
