import { ScanError } from "@openscan/protocol";
import { Emitter, type Logger } from "@openscan/runtime";
import type { ComponentKind } from "./define.js";

/** A component that did not do what it was told. */
export interface Fault {
  /** Dotted path into the device, e.g. `motors.turntable`. */
  readonly component: string;
  readonly code: string;
  readonly message: string;
}

/** Makes errors of what drivers throw, and tells of those that are the hardware's fault. */
export class Faults {
  readonly emitter: Emitter<Fault>;
  readonly #told = new WeakSet<ScanError>();

  constructor(log: Logger) {
    this.emitter = new Emitter(log);
  }

  /** As `fault`. One error may end several calls, each of which comes here: it is told once. */
  of(kind: ComponentKind, name: string, cause: unknown): ScanError {
    const error = fault(`${kind} ${name}`, cause);
    const isHardware = error.code === "hardware_fault" || error.code === "timeout";
    if (!isHardware || this.#told.has(error)) return error;
    this.#told.add(error);
    this.emitter.emit({ component: `${kind}s.${name}`, code: error.code, message: error.message });
    return error;
  }
}

/** What a driver threw, as an error that names the component; a `ScanError` is taken as it is. */
export function fault(component: string, cause: unknown): ScanError {
  if (cause instanceof ScanError) return cause;
  const message = `${component}: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new ScanError("hardware_fault", message, { cause });
}
