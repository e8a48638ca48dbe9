import type { TaskProgress } from "@openscan/protocol";

/** To the thread. It waits for `next` after each progress, which is how a pause reaches it. */
export type WorkerCommand =
  | { readonly type: "next" }
  | { readonly type: "abort"; readonly interrupted: boolean };

/** From the thread; `result` or `failed` is the last thing that it says. */
export type WorkerReply =
  | { readonly type: "progress"; readonly progress: TaskProgress }
  | { readonly type: "result"; readonly result: unknown }
  | { readonly type: "failed"; readonly message: string };
