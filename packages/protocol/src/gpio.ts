import { z } from "zod";
import { defineEndpoint } from "./endpoint.js";

const Pin = z.object({ pin_id: z.int().describe("BCM number") });
/** Whether it is high. */
const Level = z.boolean();

export const listPins = defineEndpoint({
  operationId: "get_pins",
  method: "get",
  path: "/gpio/",
  response: z.record(z.enum(["output_pins", "buttons"]), z.array(z.int())),
});
export const getPin = defineEndpoint({
  operationId: "get_pin",
  method: "get",
  path: "/gpio/{pin_id}",
  params: Pin,
  response: Level,
});
/** A pin that nothing uses becomes an output. */
export const setPin = defineEndpoint({
  operationId: "set_pin",
  method: "patch",
  path: "/gpio/{pin_id}",
  params: Pin,
  query: z.object({ status: z.boolean() }),
  response: Level,
});
export const togglePin = defineEndpoint({
  operationId: "toggle_pin",
  method: "patch",
  path: "/gpio/{pin_id}/toggle",
  params: Pin,
  response: Level,
});
