import type { MotorSettings } from "@openscan/protocol";

export interface MoveOptions {
  /** Aborted to stop: the motor halts between two steps, and `move` then resolves. */
  readonly signal: AbortSignal;
  /** Asked after each step, or as often as the hardware allows; the motor halts as soon as it says true. */
  readonly until?: () => boolean;
}

/** What talks to one motor. Rejections are faults of the hardware. */
export interface MotorDriver {
  /**
   * Steps executed since the driver was opened: those with a positive sign minus the others. Exact at any
   * moment, during a move and after `close` too: all angles are derived from it.
   */
  readonly position: number;
  /** Uses other settings from now on; called only while the motor rests. */
  configure(settings: MotorSettings): Promise<void>;
  /** Energises the motor or lets go of it. A driver is opened with the motor released. */
  enable(on: boolean): Promise<void>;
  /**
   * Executes `steps` steps (not 0; a positive count sets the direction line high) and resolves when the motor
   * has really come to rest: all done, stopped by the signal or by `until`.
   */
  move(steps: number, options: MoveOptions): Promise<void>;
  /** Lets go of the motor and of the lines it is wired to. */
  close(): Promise<void>;
}
