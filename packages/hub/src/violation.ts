const codes: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: 1007,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: 1008,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: 1009,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: 1009,
};

/** The close code with which `ws` answers what the RFC or our limits rule out; `undefined` for a broken socket. */
export function violationCode(error: Error & { readonly code?: unknown }): number | undefined {
  if (typeof error.code !== "string" || !error.code.startsWith("WS_ERR_")) return undefined;
  return codes[error.code] ?? 1002;
}
