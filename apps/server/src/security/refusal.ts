import { type ErrorCode, errorCodes } from "@openscan/protocol";

/** Why a request or a handshake is not served. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const statusOf = ({ code }: Refusal): number => errorCodes[code].status;

/** A value that a stranger chose, fit for a log, a terminal and a reply: short, and printable ASCII only. */
export function quoted(value: string): string {
  const printable = value.replaceAll(/[^\x20-\x7e]/g, "?");
  return `"${printable.length > 100 ? `${printable.slice(0, 100)}...` : printable}"`;
}
