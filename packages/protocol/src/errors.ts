import { z } from "zod";

/**
 * Every kind of failure: the HTTP status that reports it, and whether the same request may succeed later
 * without being changed. HTTP replies and SDK retries both read this table.
 */
export const errorCodes = {
  bad_request: { status: 400, retry: false },
  unauthorized: { status: 401, retry: false },
  forbidden: { status: 403, retry: false },
  not_found: { status: 404, retry: false },
  busy: { status: 409, retry: true },
  conflict: { status: 409, retry: false },
  cancelled: { status: 409, retry: false },
  invalid: { status: 422, retry: false },
  out_of_range: { status: 422, retry: false },
  too_many: { status: 429, retry: true },
  unsupported: { status: 501, retry: false },
  hardware_fault: { status: 503, retry: false },
  offline: { status: 503, retry: true },
  timeout: { status: 504, retry: true },
  storage: { status: 507, retry: false },
  /** A server that this one depends on failed or gave no sensible answer. */
  bad_gateway: { status: 502, retry: true },
  internal: { status: 500, retry: false },
} as const satisfies Record<string, { status: number; retry: boolean }>;
export type ErrorCode = keyof typeof errorCodes;

/** A failure whose cause is known. The message names the thing and the value. */
export class ScanError extends Error {
  readonly code: ErrorCode;
  /** What HTTP reports as `detail` where the API promises more than the message. */
  readonly detail: unknown;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; detail?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ScanError";
    this.code = code;
    this.detail = options.detail ?? message;
  }
}

/** One rejected value of a request; `loc` starts with `path`, `query` or `body`. */
export const ValidationProblem = z.object({
  type: z.string(),
  loc: z.array(z.union([z.string(), z.number().int()])),
  msg: z.string(),
  input: z.unknown(),
  ctx: z.record(z.string(), z.unknown()).optional(),
});
export type ValidationProblem = z.output<typeof ValidationProblem>;

/** Body of every reply with a 4xx or 5xx status. */
export const ErrorBody = z.object({
  detail: z.union([z.string(), z.array(ValidationProblem), z.record(z.string(), z.unknown())]),
});
export type ErrorBody = z.output<typeof ErrorBody>;
