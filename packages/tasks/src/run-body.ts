import type { TaskProgress } from "@openscan/protocol";
import type { TaskBody } from "./task-type.js";

/**
 * Drives a body to its end. When the promise settles the body's `finally` blocks have run, whatever happened:
 * what it occupied may then be given to another.
 *
 * @param report called with each progress and awaited before the body goes on
 * @returns the result of the body
 * @throws what the body threw, or the signal's reason when it was closed at a yield after an abort
 */
export async function runBody(
  body: TaskBody,
  signal: AbortSignal,
  report: (progress: TaskProgress) => Promise<void>,
): Promise<unknown> {
  if ("then" in body) return body;
  try {
    for (;;) {
      signal.throwIfAborted();
      const step = await body.next();
      if (step.done) return step.value;
      signal.throwIfAborted();
      await report(step.value);
    }
  } finally {
    let step = await body.return(undefined);
    // A cleanup may yield, too; nobody is interested any more, but it has to reach its end.
    while (!step.done) step = await body.next();
  }
}
