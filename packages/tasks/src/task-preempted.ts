import { ScanError } from "@openscan/protocol";

/**
 * Reason of a body's signal when the task was cancelled to make room for another one, so that a body can tell it from
 * a cancel by somebody who did not want the task any more.
 */
export class TaskPreempted extends ScanError {
  constructor(by: string) {
    super("cancelled", `Task cancelled to make room for ${by}.`);
    this.name = "TaskPreempted";
  }
}
