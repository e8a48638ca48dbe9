import { type Agent, request } from "node:http";
import type { FuzzedRequest } from "./requests.js";

export interface FuzzedReply {
  readonly status: number;
  readonly contentType: string;
  /** The beginning is enough of a reply that has no end. */
  readonly body: string;
}

/** What a reply may take: longer than any move, capture or wait for another one of them in these tests. */
const HANG_MS = 25_000;
const ENDLESS_BYTES = 20_000;

/** Sends a request as it is, which `fetch` would not: it tidies addresses up. */
export function send(
  url: string,
  { method, path, body, contentType }: FuzzedRequest,
  options: { readonly agent: Agent; readonly endless: boolean },
): Promise<FuzzedReply> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const headers =
      body === undefined
        ? {}
        : { "Content-Length": Buffer.byteLength(body), ...(contentType && { "Content-Type": contentType }) };
    const sent = request({ hostname, port, method, path, headers, agent: options.agent }, (reply) => {
      const status = reply.statusCode ?? 0;
      const found = () => {
        clearTimeout(timer);
        resolve({
          status,
          contentType: reply.headers["content-type"] ?? "",
          body: Buffer.concat(chunks).toString(),
        });
      };
      const chunks: Buffer[] = [];
      let size = 0;
      reply.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (!options.endless || status >= 300 || size < ENDLESS_BYTES) return;
        found();
        sent.destroy();
      });
      reply.on("end", found);
      reply.on("error", reject);
      // A log that is followed may have nothing to say.
      if (options.endless && status < 300) setTimeout(() => (found(), sent.destroy()), 400).unref();
    });
    const timer = setTimeout(() => sent.destroy(new Error(`no reply within ${HANG_MS} ms`)), HANG_MS);
    sent.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    sent.end(body);
  });
}
