import { readFileSync } from "node:fs";
import type { EventOf, LiveTask } from "@openscan/protocol";
import { expect, test } from "vitest";
import { legacySession } from "./legacy-session.js";
import { openRig } from "./rig.js";

/** Recorded with the last server that knew no other dialect; these files never change. */
const golden = (name: string) =>
  readFileSync(new URL(`golden/${name}.jsonl`, import.meta.url), "utf8")
    .trimEnd()
    .split("\n");

const news: EventOf<"tasks">[] = [
  { type: "task.deleted", id: "2" },
  { type: "task.stalled", id: "3", phase: "moving", seconds: 60 },
  {
    type: "photo.captured",
    task_id: "3",
    project: "vase",
    scan: 1,
    file: "scan01_001.jpg",
    theta: 10,
    fi: 20,
    stack_index: null,
    sharpness: null,
    url: "/projects/vase/scans/1/photos/scan01_001.jpg",
  },
];

test.each([false, true])(
  "a legacy client sees byte by byte what it always saw (others speak v1: %s)",
  async (withV1) => {
    await using rig = await openRig();
    const modern = withV1
      ? await Promise.all([
          rig.connect("tasks", "v=1"),
          rig.connect("tasks", "v=1&min_interval=100"),
          rig.connect("device", "v=1&delta=1"),
        ])
      : [];
    let revision = 0;
    const transcripts = await legacySession({
      port: rig.port,
      clock: rig.clock,
      publishTask: (task) => {
        const live: LiveTask = { ...task, revision: revision++ };
        rig.hub.publish("tasks", { type: "task.update", task: live });
      },
      publishDevice: (device, changed) =>
        rig.hub.publish("device", { type: "device.status", device, changed }),
      publishNews: () => {
        for (const event of news) rig.hub.publish("tasks", event);
        rig.hub.publish("device", {
          type: "device.fault",
          component: "motors.rotor",
          code: "timeout",
          message: "stuck",
        });
      },
      close: () => rig.clock.run(rig.hub.close(1012, JSON.stringify({ retry_after_ms: 2000 }))),
    });
    for (const [name, lines] of Object.entries(transcripts)) expect(lines, name).toEqual(golden(name));
    await Promise.all(modern.map(({ closed }) => closed));
    for (const { messages } of modern) expect(messages.length).toBeGreaterThan(7);
  },
);
