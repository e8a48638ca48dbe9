import { ScanError } from "@openscan/protocol";

/** What a driver threw, as an error that names the component; a `ScanError` is taken as it is. */
export function fault(component: string, cause: unknown): ScanError {
  if (cause instanceof ScanError) return cause;
  return new ScanError(
    "hardware_fault",
    `${component}: ${cause instanceof Error ? cause.message : String(cause)}`,
    {
      cause,
    },
  );
}
