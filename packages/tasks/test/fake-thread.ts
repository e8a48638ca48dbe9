import type { TaskProgress } from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";
import type { SpawnWorker, WorkerCommand, WorkerEvent } from "../src/index.js";

export interface ThreadScript {
  readonly steps: number;
  readonly ms: number;
  readonly fail?: string | undefined;
  /** How long it takes to end after an abort or its last word. */
  readonly exitMs: number;
  /** Whether it takes no notice of an abort; then only its termination ends it. */
  readonly deaf: boolean;
}

/** A thread on the fake clock, which runs the script that it is given as its input. */
export function fakeThreads(clock: Clock): { spawn: SpawnWorker; said: string[]; alive: () => number } {
  const said: string[] = [];
  let alive = 0;
  const spawn: SpawnWorker = (_script, input, listener) => {
    const { steps, ms, fail, exitMs, deaf } = input as ThreadScript;
    let step = 0;
    let ended = false;
    let cancelNext = () => {};
    let cancelExit = () => {};
    alive++;
    const emit = (event: WorkerEvent) => {
      if (!ended) listener(event);
    };
    const exit = (code: number) => {
      if (ended) return;
      said.push("exit");
      emit({ type: "exit", code });
      ended = true;
      alive--;
    };
    const lastWord = (event: WorkerEvent) => {
      emit(event);
      cancelExit = clock.after(exitMs, () => exit(0));
    };
    const work = () => {
      cancelNext = clock.after(ms, () => {
        if (fail && step === steps) return lastWord({ type: "failed", message: fail });
        if (step === steps) return lastWord({ type: "result", result: step });
        const progress: TaskProgress = { current: ++step, total: steps, message: `step ${step}` };
        emit({ type: "progress", progress });
      });
    };
    work();
    return {
      post(command: WorkerCommand) {
        if (ended) return;
        said.push(command.type);
        if (command.type === "next") return work();
        if (deaf) return;
        cancelNext();
        lastWord({ type: "failed", message: "aborted" });
      },
      terminate() {
        said.push("terminate");
        cancelNext();
        cancelExit();
        clock.after(1, () => exit(1));
      },
    };
  };
  return { spawn, said, alive: () => alive };
}
