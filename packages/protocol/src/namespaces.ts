import { z } from "zod";
import { DeviceStatusEvent } from "./device.js";
import { defineNamespace } from "./namespace.js";
import { TaskUpdate } from "./task.js";

/** Every stream there is. A new one is a line here. */
export const namespaces = {
  tasks: defineNamespace("tasks", z.discriminatedUnion("type", [TaskUpdate])),
  device: defineNamespace("device", z.discriminatedUnion("type", [DeviceStatusEvent])),
} as const;

export type NamespaceName = keyof typeof namespaces;
export type EventOf<Name extends NamespaceName> = z.output<(typeof namespaces)[Name]["event"]>;
