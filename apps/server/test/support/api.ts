import { once } from "node:events";
import type { NamespaceName, Task } from "@openscan/protocol";
import { WebSocket } from "ws";

export type Message = { readonly type: string } & Record<string, unknown>;

export interface Reply<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** A subscriber that keeps everything it hears. */
export interface Listener {
  readonly socket: WebSocket;
  readonly messages: Message[];
  /** The text frames as they came. */
  readonly frames: string[];
  /** Resolves with the first message, past ones included, that `matches`. */
  find(matches: (message: Message) => boolean): Promise<Message>;
  /** Resolves once so many messages, past ones included, match. */
  count(atLeast: number, matches: (message: Message) => boolean): Promise<void>;
  readonly closed: Promise<{ code: number; reason: string }>;
}

/** What tests do with a running server, wherever it runs. */
export class Api {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  async call<T = unknown>(method: string, path: string, body?: unknown): Promise<Reply<T>> {
    const reply = await fetch(`${this.url}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    });
    const text = await reply.text();
    const json = reply.headers.get("Content-Type")?.includes("json") ?? false;
    return { status: reply.status, headers: reply.headers, body: (json ? JSON.parse(text) : text) as T };
  }

  async bytes(path: string): Promise<Uint8Array> {
    const reply = await fetch(`${this.url}${path}`);
    if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
    return new Uint8Array(await reply.arrayBuffer());
  }

  /** @param query with its question mark; `?v=1` and more for the dialect v1 */
  async listen(namespace: NamespaceName, mount = "/latest", query = ""): Promise<Listener> {
    const socket = new WebSocket(`${this.url.replace("http", "ws")}${mount}/ws/${namespace}${query}`);
    const messages: Message[] = [];
    const frames: string[] = [];
    const waiting = new Set<() => void>();
    socket.on("message", (frame) => {
      frames.push((frame as Buffer).toString());
      messages.push(JSON.parse(frames.at(-1) ?? "") as Message);
      for (const wake of waiting) wake();
    });
    // A connection that a kill resets has an error before it is closed; who waits for the end hears of that only.
    socket.on("error", () => {});
    const closed = new Promise<{ code: number; reason: string }>((resolve) => {
      socket.once("close", (code, reason) => resolve({ code, reason: String(reason) }));
    });
    await once(socket, "open");
    const until = (isMet: () => boolean) =>
      new Promise<void>((resolve, reject) => {
        const look = () => {
          if (!isMet()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        void closed.then(() => reject(new Error(`closed before it came; heard ${messages.length} messages`)));
        look();
      });
    /** Looks at each message once, however many there are. */
    const count = (atLeast: number, matches: (message: Message) => boolean) => {
      let seen = 0;
      let found = 0;
      return until(() => {
        for (; seen < messages.length && found < atLeast; seen++)
          if (matches(messages[seen] as Message)) found++;
        return found >= atLeast;
      });
    };
    const find = async (matches: (message: Message) => boolean) => {
      await count(1, matches);
      return messages.find(matches) as Message;
    };
    return { socket, messages, frames, find, count, closed };
  }

  async startScan(
    project: string,
    settings: Record<string, unknown>,
    camera = "simulated_camera",
  ): Promise<Task> {
    await this.call("POST", `/latest/projects/${project}`);
    const { status, body } = await this.call<Task>(
      "POST",
      `/latest/projects/${project}/scan?camera_name=${encodeURIComponent(camera)}`,
      settings,
    );
    if (status !== 200) throw new Error(`the scan did not start: ${status} ${JSON.stringify(body)}`);
    return body;
  }
}

export const taskOf = (message: Message): Task => message["task"] as Task;

/** Matches the message in which a task got this status. */
export const became =
  (id: string, ...statuses: string[]) =>
  (message: Message): boolean =>
    message.type === "task.update" && taskOf(message).id === id && statuses.includes(taskOf(message).status);
