import { DeviceStatus, LightStatus, LiveTask, MotorStatus, Task } from "@openscan/protocol";
import { expect, test } from "vitest";
import { createFakeScanner, type FakeScanner } from "./index.js";

const request = async (scanner: FakeScanner, operation: string, body?: unknown, mount = "latest") => {
  const [method = "", path = ""] = operation.split(" ");
  return scanner.fetch(`${scanner.url}/${mount}${path}`, {
    method,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    }),
  });
};

test("device and tasks are answered as they are, and at which event", async () => {
  const scanner = createFakeScanner();
  scanner.setDevice("motors.rotor.angle", 12);
  const { id } = scanner.startTask();
  const device = await request(scanner, "GET /device/info");
  expect(DeviceStatus.parse(await device.json())).toEqual(scanner.device);
  expect([device.headers.get("OpenScan-Epoch"), device.headers.get("OpenScan-Seq")]).toEqual([
    "epoch-1",
    "1",
  ]);
  const tasks = await request(scanner, "GET /tasks/");
  expect(
    Task.strict()
      .array()
      .parse(await tasks.json()),
  ).toMatchObject([{ id, status: "running" }]);
  expect(tasks.headers.get("OpenScan-Seq")).toBe("2");
  const next = await request(scanner, `GET /tasks/${id}`, undefined, "next");
  expect(LiveTask.parse(await next.json())).toEqual(scanner.tasks[0]);
});

test("a legacy scanner says nothing of events", async () => {
  const reply = await request(createFakeScanner({ legacy: true }), "GET /device/info");
  expect(reply.headers.get("OpenScan-Seq")).toBeNull();
});

test("motors and lights do as they are told", async () => {
  const scanner = createFakeScanner();
  const to = await request(scanner, "PUT /motors/turntable/angle?degrees=90");
  expect(MotorStatus.parse(await to.json()).angle).toBe(90);
  await request(scanner, "PATCH /motors/turntable/angle", { degrees: -30 });
  expect(scanner.device.motors["turntable"]?.angle).toBe(60);
  const on = await request(scanner, "PATCH /lights/ringlight/toggle");
  expect(LightStatus.parse(await on.json()).is_on).toBe(true);
  for (const [verb, isOn] of [
    ["turn_on", true],
    ["turn_off", false],
    ["toggle", true],
  ] as const) {
    await request(scanner, `PATCH /lights/ringlight/${verb}`);
    expect(scanner.device.lights["ringlight"]?.is_on).toBe(isOn);
  }
  const names = async (kind: string) =>
    Object.keys((await (await request(scanner, `GET /${kind}/`)).json()) as object);
  expect([await names("motors"), await names("lights"), await names("cameras")]).toEqual([
    ["rotor", "turntable"],
    ["ringlight"],
    ["camera"],
  ]);
});

test("tasks are paused, resumed and cancelled", async () => {
  const scanner = createFakeScanner();
  const { id } = scanner.startTask();
  for (const [operation, status] of [
    [`POST /tasks/${id}/pause`, "paused"],
    [`POST /tasks/${id}/resume`, "running"],
    [`DELETE /tasks/${id}`, "cancelled"],
  ] as const) {
    expect(await (await request(scanner, operation)).json()).toMatchObject({ id, status });
    expect(scanner.tasks[0]?.status).toBe(status);
  }
});

test.each([
  "GET /motors",
  "PUT /motors/none/angle?degrees=1",
  "PATCH /lights/none/toggle",
  "DELETE /tasks/none",
  "POST /tasks/none/pause",
  "POST /tasks/none/resume",
  "GET /projects/",
])("%s is not found", async (operation) => {
  const reply = await request(createFakeScanner(), operation);
  expect([reply.status, await reply.json()]).toEqual([404, { detail: "Not Found" }]);
});

test("a test may answer itself, and see what was asked", async () => {
  const asked: unknown[] = [];
  const scanner = createFakeScanner({
    answer({ method, path, query, body, headers }) {
      asked.push([method, path, query.toString(), body, headers.get("content-type")]);
      return path.startsWith("/projects/") ? Response.json({ detail: "exists" }, { status: 409 }) : undefined;
    },
  });
  expect((await request(scanner, "POST /projects/pot?x=1", { a: 1 })).status).toBe(409);
  expect((await scanner.fetch(`${scanner.url}/api/v0.9/tasks/`, {})).status).toBe(200);
  expect(asked).toEqual([
    ["POST", "/projects/pot", "x=1", { a: 1 }, "application/json"],
    ["GET", "/tasks/", "", undefined, null],
  ]);
});

test("a name with a space is found", async () => {
  const scanner = createFakeScanner();
  scanner.setDevice({ lights: { "top light": scanner.device.lights["ringlight"] } });
  expect((await request(scanner, "PATCH /lights/top%20light/turn_on")).status).toBe(200);
  expect(scanner.device.lights["top light"]?.is_on).toBe(true);
});

test("there must be a task to change", () => {
  expect(() => createFakeScanner().finishTask("none")).toThrow("there is no task none");
});
