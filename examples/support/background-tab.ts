import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import { CHROMIUM, FLAGS } from "./chromium.js";

/** A tab that can be hidden and frozen as by its user. Playwright keeps every page visible, so this does without. */
export interface Tab {
  /** Resolves when an expression is true in the page. */
  until(expression: string): Promise<void>;
  evaluate(expression: string): Promise<unknown>;
  /** Another tab comes to the front. */
  hide(): Promise<void>;
  show(): Promise<void>;
  /** As Chromium does with tabs that nobody has looked at for long. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  goOffline(isOffline: boolean): Promise<void>;
}

/** Opens a page in a Chromium of its own, and ends that. */
export async function withTab(url: string, run: (tab: Tab) => Promise<void>): Promise<void> {
  const profile = await mkdtemp(join(tmpdir(), "openscan-examples-"));
  const flags = [...FLAGS, "--remote-debugging-port=0", `--user-data-dir=${profile}`];
  const chromium = spawn(CHROMIUM, [...flags, "about:blank"], { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(chromium, "exit");
  try {
    const devTools = await openDevTools(await announced(chromium.stderr));
    await run(await openTab(devTools, url));
  } finally {
    // Asked to close itself, it now and then does not.
    chromium.kill("SIGKILL");
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function openTab({ send }: DevTools, url: string): Promise<Tab> {
  const blank = { url: "about:blank" };
  const { targetId } = await send("Target.createTarget", blank);
  const { targetId: otherId } = await send("Target.createTarget", blank);
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  const ask = (method: string, params: object) => send(method, params, String(sessionId));
  const evaluate = async (expression: string) => {
    const reply = await ask("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    return (reply["result"] as { readonly value?: unknown }).value;
  };
  const tab: Tab = {
    evaluate,
    async until(expression) {
      await evaluate(`new Promise((resolve) => {
        const look = () => (${expression}) ? resolve() : setTimeout(look, 10);
        look();
      })`);
    },
    async hide() {
      await send("Target.activateTarget", { targetId: otherId });
      await tab.until("document.visibilityState === 'hidden'");
    },
    async show() {
      await send("Target.activateTarget", { targetId });
    },
    async freeze() {
      await ask("Page.setWebLifecycleState", { state: "frozen" });
    },
    async thaw() {
      await ask("Page.setWebLifecycleState", { state: "active" });
    },
    async goOffline(offline) {
      const unlimited = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
      await ask("Network.emulateNetworkConditions", { offline, ...unlimited });
    },
  };
  await tab.show();
  await ask("Page.navigate", { url });
  return tab;
}

async function announced(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const found = /DevTools listening on (\S+)/.exec(line)?.[1];
    if (found) return found;
  }
  throw new Error(`${CHROMIUM} ended before it was ready`);
}

type Reply = Readonly<Record<string, unknown>>;
/** To a call when it has an `id`, else an event. */
interface Answer {
  readonly id?: number;
  readonly result?: Reply;
  readonly error?: object;
}
interface DevTools {
  send(method: string, params?: object, sessionId?: string): Promise<Reply>;
}

/** The DevTools protocol: numbered calls and their replies. */
async function openDevTools(url: string): Promise<DevTools> {
  const socket = new WebSocket(url);
  const calls = new Map<number, (answer: Answer) => void>();
  socket.on("message", (data: Buffer) => {
    const answer = JSON.parse(data.toString()) as Answer;
    calls.get(answer.id ?? 0)?.(answer);
  });
  await once(socket, "open");
  let last = 0;
  return {
    send: (method, params = {}, sessionId) =>
      new Promise((resolve, reject) => {
        const id = ++last;
        calls.set(id, ({ result, error }) => {
          calls.delete(id);
          if (result) resolve(result);
          else reject(new Error(`${method}: ${JSON.stringify(error)}`));
        });
        socket.send(JSON.stringify({ id, method, params, sessionId }));
      }),
  };
}
