import { defineLightDriver, Device, DriverRegistry } from "@openscan/hardware";
import {
  DeviceConfiguration,
  type EventDefinition,
  type EventOf,
  type NamespaceName,
  namespaces,
} from "@openscan/protocol";
import { Emitter } from "@openscan/runtime";
import { settle } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { z } from "zod";
import { connectFeeds } from "./feeds.js";
import type { SavedPhoto } from "./projects/project-store.js";
import type { Stall } from "./tasks/stalled-tasks.js";
import { createBench, fivePoints } from "./tasks/testing.js";

type AnyEvent = EventOf<"tasks"> | EventOf<"device">;

const brokenLight = defineLightDriver({
  kind: "broken",
  settings: z.object({}),
  open: async () => ({
    configure: async () => {},
    write: () => Promise.reject(new Error("burnt out")),
    close: async () => {},
  }),
});

/** A scanner whose streams are written down; every event has to fit its definition, and the state of its moment. */
async function create(sharpness?: (photo: SavedPhoto) => Promise<number | null>) {
  const bench = await createBench();
  const { clock, log, tasks, store } = bench;
  const device = new Device({ clock, log, drivers: new DriverRegistry([brokenLight], "broken") });
  const stalls = new Emitter<Stall>(log);
  const published: AnyEvent[] = [];
  const seen = new Map<NamespaceName, AnyEvent[]>([
    ["tasks", []],
    ["device", []],
  ]);
  const publish = <Name extends NamespaceName>(namespace: Name, event: EventOf<Name> & AnyEvent) => {
    const definitions: Readonly<Record<string, EventDefinition>> = namespaces[namespace].events;
    const schema = definitions[event.type]!.schema;
    expect(schema.parse(event)).toEqual(event);
    if (event.type === "task.update")
      expect(tasks.get(event.task.id)?.revision).toBeGreaterThanOrEqual(event.task.revision);
    if (event.type === "task.deleted") expect(tasks.get(event.id)).toBeUndefined();
    if (event.type === "device.status") expect(device.status()).toEqual(event.device);
    published.push(event);
    seen.get(namespace)?.push(event);
  };
  const photos = store.photos;
  const { settled } = connectFeeds({
    hub: { publish },
    device,
    tasks,
    photos,
    stalls,
    log,
    ...(sharpness && { sharpness }),
  });
  return { ...bench, scanner: device, stalls, published, seen, settled };
}

const inShort = (event: AnyEvent) =>
  event.type === "task.update" ? `${event.task.status} ${event.task.progress.current}` : event.type;

test("a scan: its updates, its photos, each before the progress that counts it, and its removal", async () => {
  const { seen, start, ended, tasks, store, log } = await create();
  const { id } = await start({ points: 2, focus_stacks: 2 });
  await ended(id);
  await tasks.delete(id);
  const told = seen.get("tasks")!;
  const photos = told.filter((event) => event.type === "photo.captured");
  const { points } = (await store.findPath("Vase", 1))!;
  expect(photos).toEqual(
    points.flatMap(({ polar, original_step }) =>
      [0, 1].map((stack_index) => {
        const file = `scan01_00${original_step}_fs0${stack_index}.jpg`;
        return {
          type: "photo.captured",
          task_id: id,
          project: "Vase",
          scan: 1,
          file,
          theta: polar.theta,
          fi: polar.fi,
          stack_index,
          sharpness: null,
          url: `/projects/Vase/1/photo?filename=${file}&file_only=true`,
        };
      }),
    ),
  );
  const order = told.map(inShort);
  expect(order.slice(0, 2)).toEqual(["pending 0", "running 0"]);
  expect(order.slice(-2)).toEqual(["completed 2", "task.deleted"]);
  const captured = (progress: string) =>
    order.slice(0, order.indexOf(progress)).filter((line) => line === "photo.captured").length;
  expect(captured("running 1")).toBeGreaterThanOrEqual(2);
  expect(captured("running 2")).toBe(4);
  expect(log.lines).toEqual([]);
});

test("a photo is told of when it was measured, and before whatever happens to its task after it", async () => {
  const measuring: ((figure: number | null) => void)[] = [];
  const { seen, start, ended, settled, log } = await create(
    () => new Promise((resolve) => void measuring.push(resolve)),
  );
  const { id } = await start({ points: 2 });
  await ended(id);
  const told = seen.get("tasks")!;
  expect(told.map(inShort)).toEqual(["pending 0", "running 0", "running 0"]);
  expect(measuring).toHaveLength(2);
  measuring[1]?.(null);
  await settle();
  expect(told).toHaveLength(3);
  measuring[0]?.(812.5);
  await settled();
  const photos = told.filter((event) => event.type === "photo.captured");
  expect(photos.map(({ file, sharpness }) => [file, sharpness])).toEqual([
    ["scan01_000.jpg", 812.5],
    ["scan01_001.jpg", null],
  ]);
  const order = told.slice(3).map(inShort);
  expect(order[0]).toBe("photo.captured");
  expect(order.indexOf("running 2")).toBeGreaterThan(order.lastIndexOf("photo.captured"));
  expect(order.at(-1)).toBe("completed 2");
  expect(log.lines).toEqual([]);
});

test("the address of a photo holds for any project name, and none is told without a task", async () => {
  const { seen, store, device } = await create();
  const camera = { camera_name: "front", camera_settings: device.cameraSettings };
  const settings = fivePoints;
  const project = "größe 2 'x'";
  await store.create(project, null);
  await store.createScan(project, { settings, ...camera, description: null });
  const polar = { theta: 10, fi: 20, r: 1 };
  const photo = (step: number) => ({
    file: `scan01_00${step}.jpg`,
    bytes: new Uint8Array(1),
    seconds: 1,
    metadata: {
      format: "jpeg" as const,
      camera_metadata: { ...camera, raw_metadata: {} },
      scan_metadata: {
        step,
        polar_coordinates: polar,
        project_name: project,
        scan_index: 1,
        stack_index: null,
        cart_coordinates: { x: 0, y: 0, z: 0 },
      },
    },
  });
  await store.savePhoto(project, 1, photo(0));
  expect(seen.get("tasks")).toEqual([]);
  await store.updateScan(project, 1, () => ({ task_id: "t9" }));
  await store.savePhoto(project, 1, photo(1));
  expect(seen.get("tasks")).toEqual([
    {
      type: "photo.captured",
      task_id: "t9",
      project,
      scan: 1,
      file: "scan01_001.jpg",
      theta: 10,
      fi: 20,
      stack_index: null,
      sharpness: null,
      url: "/projects/gr%C3%B6%C3%9Fe%202%20'x'/1/photo?filename=scan01_001.jpg&file_only=true",
    },
  ]);
});

test("what listeners change while they are told is never published before it is there", async () => {
  const { tasks, seen, start, ended } = await create();
  tasks.events.on((event) => {
    if (event.type !== "updated") return;
    const { id, status, progress } = event.task;
    if (status === "running" && progress.message === "1 of 5 positions photographed") {
      tasks.pause(id);
      tasks.resume(id);
    }
    if (status === "running" && progress.current === 3) tasks.cancel(id);
  });
  const { id } = await start();
  await ended(id);
  const statuses = seen.get("tasks")!.map((event) => (event.type === "task.update" ? event.task.status : ""));
  expect(statuses).toContain("paused");
  expect(statuses.at(-1)).toBe("cancelled");
  // `create` checks every one of them.
  const revisions = seen
    .get("tasks")!
    .flatMap((event) => (event.type === "task.update" ? event.task.revision : []));
  expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
});

test("device: every change with the whole device, every failure as a fact; stalls go to the tasks", async () => {
  const { scanner, seen, stalls } = await create();
  await scanner.initialize(
    DeviceConfiguration.parse({ name: "test", lights: { ring: { pins: [1] } }, scan_radius_mm: 110 }),
  );
  await expect(scanner.light("ring").toggle()).rejects.toThrow("burnt out");
  await scanner.idle();
  const fault = {
    type: "device.fault",
    component: "lights.ring",
    code: "hardware_fault",
    message: "light ring: burnt out",
  };
  expect(
    seen.get("device")!.map((event) => (event.type === "device.status" ? event.changed : event)),
  ).toEqual([["lights.ring.settings"], fault, null, fault, fault, ["idle"]]);
  stalls.emit({ id: "t1", phase: "moving", seconds: 60 });
  expect(seen.get("tasks")).toEqual([{ type: "task.stalled", id: "t1", phase: "moving", seconds: 60 }]);
});
