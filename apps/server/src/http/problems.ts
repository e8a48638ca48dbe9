import { type ErrorBody, errorCodes, ScanError, type ValidationProblem } from "@openscan/protocol";
import type { Logger } from "@openscan/runtime";
import type { ErrorRequestHandler } from "express";
import type { z } from "zod";
import { redactUrl, withoutSecret } from "../security/redact.js";

/** A request that its schema rejected; carries one entry for each wrong value. */
export class ValidationError extends Error {
  readonly problems: readonly ValidationProblem[];

  constructor(problems: readonly ValidationProblem[]) {
    super(problems.map((problem) => `${problem.loc.join(".")}: ${problem.msg}`).join("; "));
    this.problems = problems;
  }
}

export function validationError(
  part: "path" | "query" | "body",
  error: z.ZodError,
  input: unknown,
): ValidationError {
  return new ValidationError(
    error.issues.map((issue) => {
      const value = valueAt(input, issue.path);
      return {
        type: problemType(issue, value),
        loc: [part, ...issue.path.map((key) => (typeof key === "symbol" ? String(key) : key))],
        msg: value === undefined && issue.code === "invalid_type" ? "Field required" : issue.message,
        input: withoutSecret(String(issue.path.at(-1) ?? ""), value ?? null),
        ...constraint(issue),
      };
    }),
  );
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key], input);
}

// The names are those that clients of the existing backend know.
function problemType(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case "invalid_type":
      return value === undefined ? "missing" : `${issue.expected}_type`;
    case "too_small":
      return issue.origin === "number" || issue.origin === "int" ? "greater_than_equal" : "too_short";
    case "too_big":
      return issue.origin === "number" || issue.origin === "int" ? "less_than_equal" : "too_long";
    case "invalid_value":
      return "enum";
    default:
      return "value_error";
  }
}

function constraint(issue: z.core.$ZodIssue): { ctx?: Record<string, unknown> } {
  if (issue.code === "too_small") return { ctx: { ge: Number(issue.minimum) } };
  if (issue.code === "too_big") return { ctx: { le: Number(issue.maximum) } };
  if (issue.code === "invalid_value") return { ctx: { expected: issue.values.map(String).join(", ") } };
  return {};
}

interface Reply {
  readonly status: number;
  readonly body: ErrorBody;
}

/** What the client is told about an error; the only place that builds an error body. */
function problemOf(error: unknown): Reply {
  if (error instanceof ValidationError) return { status: 422, body: { detail: [...error.problems] } };
  if (error instanceof ScanError)
    return { status: errorCodes[error.code].status, body: { detail: error.detail as ErrorBody["detail"] } };
  const rejected = rejectedBody(error);
  if (rejected) return rejected;
  return { status: 500, body: { detail: "Internal Server Error" } };
}

/** Errors of Express' own body parser and router: they carry a `type` or a 4xx `status`. */
function rejectedBody(error: unknown): Reply | undefined {
  const { type, status, message } = error as {
    type?: string;
    status?: number;
    message?: string;
  };
  if (type === "entity.parse.failed") {
    const offset = Number(/position (\d+)/.exec(message ?? "")?.[1] ?? 0);
    const problem = {
      type: "json_invalid",
      loc: ["body", offset],
      // Neither the text nor the message of the parser, which quotes it: there may be a secret in it.
      msg: "JSON decode error",
      input: {},
    };
    return { status: 422, body: { detail: [problem] } };
  }
  if (status === undefined || status < 400 || status > 499) return undefined;
  return { status, body: { detail: message ?? "Bad Request" } };
}

/** `redact` takes out what a reply must not repeat, even to whom it came from. */
export function errorReplies(log: Logger, redact: (text: string) => string): ErrorRequestHandler {
  return (error, req, res, _next) => {
    const { status, body } = problemOf(error);
    if (status >= 500)
      log.error(
        { err: error, method: req.method, url: redactUrl(req.originalUrl), status },
        "request failed",
      );
    if (res.headersSent) {
      res.destroy();
      return;
    }
    res
      .status(status)
      .type("json")
      .send(redact(JSON.stringify(body)));
  };
}
