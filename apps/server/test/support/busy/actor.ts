import type { Api } from "../api.js";

/** Called as soon as something was reported done. */
export type Reported = () => void;

/** Somebody who uses a scanner, remembers what was reported done, and looks for it after the server was killed. */
export interface Actor {
  /** Goes on until the server is gone; a request that fails before that is an error. */
  work(api: Api, gone: AbortSignal): Promise<void>;
  /** Throws unless everything that was reported done is still so. */
  verify(api: Api): Promise<void>;
}

/** Repeats an act until the server is gone. The answer to the last one may never come. */
export async function untilGone(gone: AbortSignal, act: () => Promise<void>): Promise<void> {
  while (!gone.aborted) {
    try {
      await act();
    } catch (error) {
      if (!gone.aborted) throw error;
    }
  }
}

/** The body of a reply that has to be a success. */
export async function done<T>(api: Api, method: string, path: string, body?: unknown): Promise<T> {
  const reply = await api.call<T>(method, path, body);
  if (reply.status >= 200 && reply.status < 300) return reply.body;
  throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
}
