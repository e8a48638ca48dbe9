import { z } from "zod";
import { defineEndpoint } from "./endpoint.js";

/** Stands in for a token where no header can be sent; good once, as `?ticket=` of a WebSocket or of a GET. */
export const Ticket = z.object({
  ticket: z.string(),
  expires_in_ms: z.int().describe("from now; a ticket is used at once or not at all"),
});
export type Ticket = z.output<typeof Ticket>;

export const createTicket = defineEndpoint({
  operationId: "create_ticket",
  method: "post",
  path: "/auth/ticket",
  response: Ticket,
});
