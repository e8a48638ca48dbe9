/** Reason of a body's signal when the whole process is shutting down, so that a body can tell it from a cancel. */
export class TaskInterrupted extends Error {
  constructor() {
    super("the process is shutting down");
    this.name = "TaskInterrupted";
  }
}
