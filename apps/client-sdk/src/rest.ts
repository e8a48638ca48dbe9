import type { ClientClock } from "./clock.js";
import type { TimelyToken } from "./token.js";
import { type Query, queryText } from "./query.js";
import { detailText, RequestError } from "./request-error.js";

const TIMEOUT_MS = 10_000;

export type Method = "GET" | "PUT" | "POST" | "PATCH" | "DELETE";
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface RequestOptions {
  /** Query parameters; `undefined` and `null` are left out. */
  readonly query?: Query;
  /** Sent as JSON; without it the request has no body. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  /** For the whole request, the reply's body included; 10 s unless told. */
  readonly timeoutMs?: number;
}

/** JSON requests below one mount of the API. */
export class Rest {
  readonly #base: string;
  readonly #fetch: Fetch;
  readonly #clock: ClientClock;
  readonly #token: TimelyToken | undefined;

  /** @param base the mount without a slash at its end, e.g. `http://scanner:8000/latest` */
  constructor(base: string, fetch: Fetch, clock: ClientClock, token?: TimelyToken) {
    this.#base = base;
    this.#fetch = fetch;
    this.#clock = clock;
    this.#token = token;
  }

  /** The full URL of a path, e.g. for an image element. */
  url(path: string, query: RequestOptions["query"] = {}): string {
    const text = queryText(query);
    return this.#base + path + (text && `?${text}`);
  }

  /**
   * @param path below the mount, e.g. `/device/info`
   * @returns the parsed reply, its text when it is not JSON, `undefined` when it is empty
   * @throws RequestError for every status but 2xx (with it), when nothing answers, or on a time-out (0);
   *   `signal.reason` when that is aborted
   */
  async request<Reply = unknown>(method: Method, path: string, options: RequestOptions = {}): Promise<Reply> {
    const { query, body, signal, timeoutMs = TIMEOUT_MS } = options;
    const url = this.url(path, query);
    const request = `${method} ${url}`;
    signal?.throwIfAborted();

    const abort = new AbortController();
    signal?.addEventListener("abort", () => abort.abort(), { signal: abort.signal });
    const cancelTimeout = this.#clock.after(timeoutMs, () => abort.abort(`no answer within ${timeoutMs} ms`));
    try {
      const token = await this.#token?.();
      const response = await this.#fetch(url, {
        method,
        signal: abort.signal,
        headers: {
          ...(body !== undefined && { "content-type": "application/json" }),
          ...(token && { authorization: `Bearer ${token}` }),
        },
        body: (JSON.stringify(body) as string | undefined) ?? null,
      });
      const reply = parse(await response.text());
      if (response.ok) return reply as Reply;
      throw new RequestError(request, {
        status: response.status,
        detail: detailText(reply, response.statusText),
        body: reply,
      });
    } catch (cause) {
      if (cause instanceof RequestError) throw cause;
      signal?.throwIfAborted();
      throw new RequestError(request, { status: 0, detail: String(cause), cause });
    } finally {
      cancelTimeout();
      abort.abort(); // stops listening to the caller's signal
    }
  }
}

function parse(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
