import type { IncomingMessage } from "node:http";
import type { Refusal as RefusedUpgrade } from "@openscan/hub";
import { closeCodes } from "@openscan/protocol";
import type { Access } from "./access.js";
import { statusOf } from "./refusal.js";
import type { Senders } from "./senders.js";

/** The rules for WebSocket handshakes: name, page, token. `undefined` admits. */
export function admitUpgrade(senders: Senders, access: Access, redact: (text: string) => string) {
  return (request: IncomingMessage, offeredSubprotocols: readonly string[]): RefusedUpgrade | undefined => {
    const stranger = senders.refuseHost(request) ?? senders.refuseOrigin(request);
    const refusal = stranger ?? access.refuse(request, { intent: "listen", offeredSubprotocols });
    if (!refusal) return undefined;
    return {
      status: statusOf(refusal),
      detail: redact(refusal.detail),
      ...(refusal.headers && { headers: refusal.headers }),
      ...(refusal.code === "unauthorized" && { closeCode: closeCodes.unauthorized.code }),
    };
  };
}
