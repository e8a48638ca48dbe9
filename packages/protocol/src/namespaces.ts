import { z } from "zod";
import type { DeviceStatus } from "./device.js";
import { DeviceStatusEvent } from "./device.js";
import { DeviceDelta, DeviceSnapshot, deviceFault, deviceSnapshot, deviceStatus } from "./device-events.js";
import { exampleDevice, exampleTask } from "./examples.js";
import { defineNamespace } from "./namespace.js";
import { photoCaptured } from "./photo-captured.js";
import { TaskUpdate } from "./task.js";
import { type LiveTask, TasksSnapshot, taskDeleted, taskStalled, taskUpdate } from "./task-events.js";

/** Every stream there is. A new event type is a line here, and so is a new stream. */
export const namespaces = {
  tasks: defineNamespace({
    name: "tasks",
    events: {
      "task.update": taskUpdate,
      "task.deleted": taskDeleted,
      "task.stalled": taskStalled,
      "photo.captured": photoCaptured,
    },
    filters: ["ids"],
    derived: {},
    legacyEvent: z.discriminatedUnion("type", [TaskUpdate]),
    snapshotSchema: TasksSnapshot,
    exampleSnapshot: () => ({
      type: "tasks.snapshot" as const,
      tasks: [{ ...exampleTask(), revision: 13 }],
      snapshot: true as const,
    }),
    snapshot: (tasks: readonly LiveTask[], ids?: ReadonlySet<string>) => ({
      type: "tasks.snapshot" as const,
      tasks: tasks.filter(({ id }) => ids === undefined || ids.has(id)),
      snapshot: true as const,
    }),
    restate: (tasks) => tasks.map((task) => ({ type: "task.update" as const, task })),
  }),
  device: defineNamespace({
    name: "device",
    events: { "device.status": deviceStatus, "device.fault": deviceFault },
    filters: ["paths"],
    derived: {
      "device.delta": {
        schema: DeviceDelta,
        description:
          "In place of device.status for clients that asked for delta: what changed since the last one.",
        example: () => ({
          type: "device.delta" as const,
          set: { "/motors/turntable/angle": 180, "/motors/turntable/busy": false },
          unset: [],
          changed: ["motors.turntable.angle", "motors.turntable.busy"],
        }),
      },
    },
    legacyEvent: z.discriminatedUnion("type", [DeviceStatusEvent]),
    snapshotSchema: DeviceSnapshot,
    exampleSnapshot: () => deviceSnapshot(exampleDevice()),
    snapshot: deviceSnapshot,
    restate: (device: DeviceStatus) => [{ type: "device.status" as const, device, changed: null }],
  }),
} as const;

export type NamespaceName = keyof typeof namespaces;
type Definition<Name extends NamespaceName> = (typeof namespaces)[Name];

/** What is published in a namespace, and what v1 clients get of it besides the envelope. */
export type EventOf<Name extends NamespaceName> = z.output<
  Definition<Name>["events"][keyof Definition<Name>["events"]] extends {
    schema: infer Schema extends z.ZodType;
  }
    ? Schema
    : never
>;
export type LegacyEventOf<Name extends NamespaceName> = z.output<Definition<Name>["legacyEvent"]>;
export type SnapshotOf<Name extends NamespaceName> = z.output<Definition<Name>["snapshotSchema"]>;
/** The state that the events of a namespace add up to. */
export type StateOf<Name extends NamespaceName> = Parameters<Definition<Name>["snapshot"]>[0];
