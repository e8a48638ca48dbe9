import type { CameraSettings, CartesianPoint, Task } from "@openscan/protocol";
import sharp from "sharp";
import { expect, onTestFinished, test } from "vitest";
import type { CropResult } from "../src/tasks/crop-task.js";
import { became } from "./support/api.js";
import { spawnServer } from "./support/child.js";
import { createFolder, quickConfiguration } from "./support/folder.js";
import { startServer } from "./support/in-process.js";

test("the preview of a path is the unconstrained one, on every version", async () => {
  const { api } = await startServer();
  for (const mount of ["v0.8", "v0.9", "latest", "next"]) {
    const { status, body } = await api.call<CartesianPoint[]>("GET", `/${mount}/develop/fibonacci?points=4`);
    expect(status).toBe(200);
    expect(body).toHaveLength(4);
    expect(body[0]).toEqual({ x: expect.closeTo(0.661438, 5) as number, y: 0, z: -0.75 });
    expect(body[1]).toEqual({
      x: expect.closeTo(-0.713954, 5) as number,
      y: expect.closeTo(0.654041, 5) as number,
      z: -0.25,
    });
  }
  expect((await api.call("GET", "/latest/develop/fibonacci?points=1")).body).toEqual([{ x: 1, y: 0, z: 0 }]);
});

test.each(["0", "-1", "2.5", "x", "", "1e9", "100001"])("a path of %j points is a 422", async (points) => {
  const { api } = await startServer();
  const { status, body } = await api.call("GET", `/latest/develop/fibonacci?points=${points}`);
  expect([status, body]).toMatchObject([422, { detail: [{ loc: ["query", "points"] }] }]);
});

test("a path of another method, or without points, is a 422", async () => {
  const { api } = await startServer();
  expect(await api.call("GET", "/latest/develop/spiral?points=3")).toMatchObject({
    status: 422,
    body: { detail: [{ loc: ["path", "method"], type: "enum" }] },
  });
  expect(await api.call("GET", "/latest/develop/fibonacci")).toMatchObject({
    status: 422,
    body: { detail: [{ loc: ["query", "points"], type: "missing" }] },
  });
});

test("defect 37: hello-world-async starts its task, which a stock server knows", async () => {
  const { api } = await startServer();
  const tasks = await api.listen("tasks");
  const { status, body } = await api.call<Task>(
    "POST",
    "/v0.8/develop/hello-world-async?total_steps=2&delay=0.01",
  );
  expect(status).toBe(200);
  expect(body).toMatchObject({ name: "hello_world_async_task", run_kwargs: { total_steps: 2, delay: 0.01 } });
  await tasks.find(became(body.id, "completed"));
  expect((await api.call("GET", `/latest/tasks/${body.id}`)).body).toMatchObject({
    result: "Hello world after 2 steps!",
  });
  for (const query of [
    "total_steps=2",
    "delay=1",
    "total_steps=-1&delay=1",
    "total_steps=1&delay=-1",
    "total_steps=1&delay=nan",
  ])
    expect((await api.call("POST", `/latest/develop/hello-world-async?${query}`)).status, query).toBe(422);
});

test("defect 37: crop_image answers the picture, stores the crop, and leaves no picture in the task", async () => {
  const { api } = await startServer();
  const settings = async () =>
    (await api.call<CameraSettings>("GET", "/latest/cameras/simulated_camera/settings")).body;
  const before = await settings();
  const query = "camera_name=simulated_camera";
  const reply = await fetch(`${api.url}/v0.8/develop/crop_image?${query}&threshold=60`);
  expect([reply.status, reply.headers.get("Content-Type")]).toEqual([200, "image/jpeg"]);
  const picture = await sharp(await reply.arrayBuffer()).metadata();
  const { body: tasks } = await api.call<Task[]>("GET", "/latest/tasks/");
  expect(tasks).toMatchObject([
    {
      ...{ name: "crop_task", status: "completed", is_blocking: true },
      run_kwargs: { threshold: 60 },
      result: { image_size: [picture.width, picture.height] },
    },
  ]);
  expect(JSON.stringify(tasks).length).toBeLessThan(1200);
  const result = tasks[0]?.result as CropResult;
  expect(await settings()).toEqual({
    ...before,
    crop_width: result.crop_width,
    crop_height: result.crop_height,
  });
  // The figure stands in the middle of a dark room: something is cut off on both axes, and something remains.
  for (const percent of [result.crop_width, result.crop_height]) {
    expect(percent).toBeGreaterThan(5);
    expect(percent).toBeLessThan(80);
  }
  const payload = `/latest/cameras/simulated_camera/photo/payload/${result.image_id}`;
  expect((await sharp(await api.bytes(payload)).metadata()).width).toBe(picture.width);
  for (const [path, status] of [
    ["camera_name=none", 404],
    ["", 422],
    [`${query}&threshold=256`, 422],
    [`${query}&threshold=-1`, 422],
    [`${query}&threshold=x`, 422],
  ] as const)
    expect([path, (await api.call("GET", `/latest/develop/crop_image?${path}`)).status]).toEqual([
      path,
      status,
    ]);
});

test("a server that nobody can start again refuses to restart", async () => {
  const { api } = await startServer();
  expect((await api.call("POST", "/latest/develop/restart")).status).toBe(501);
});

test("a restart ends the process in order and starts it anew at the same address, as often as asked for", async () => {
  const folder = await createFolder(await quickConfiguration());
  onTestFinished(() => folder.remove());
  const server = await spawnServer(folder);
  const { api } = server;
  const started = () => server.output().split("is ready").length - 1;
  const { id } = await api.startScan("vase", { points: 50 });
  for (let lives = 2; lives <= 3; lives++) {
    const tasks = await api.listen("tasks");
    expect(await api.call("POST", "/v0.8/develop/restart")).toMatchObject({
      status: 202,
      body: { detail: "Reload triggered" },
    });
    // Told that it comes back, as by any restart.
    expect(await tasks.closed).toMatchObject({ code: 1012 });
    await expect.poll(started, { timeout: 20_000 }).toBe(lives);
    expect((await api.call("GET", "/latest/")).body).toMatchObject({ last_shutdown_was_unclean: false });
    expect((await api.call("GET", `/latest/tasks/${id}`)).body).toMatchObject({ status: "interrupted" });
  }
  expect(server.process.exitCode).toBeNull();
  expect(await server.stop("SIGTERM")).toBe(0);
  await expect(fetch(`${api.url}/health`)).rejects.toThrow("fetch failed");
}, 60_000);

test("a restarted server ends with the process that waits for it", async () => {
  const folder = await createFolder(await quickConfiguration());
  onTestFinished(() => folder.remove());
  const server = await spawnServer(folder);
  await server.api.call("POST", "/latest/develop/restart");
  await expect.poll(() => server.output().split("is ready").length - 1, { timeout: 20_000 }).toBe(2);
  await server.stop("SIGKILL");
  await expect
    .poll(
      () =>
        fetch(`${server.api.url}/health`).then(
          ({ status }) => status,
          () => "gone",
        ),
      { timeout: 20_000 },
    )
    .toBe("gone");
}, 60_000);

test("a supervisor that restarts us itself is told by the exit code", async () => {
  const folder = await createFolder(await quickConfiguration());
  onTestFinished(() => folder.remove());
  const server = await spawnServer(folder, [], { OPENSCAN_SUPERVISED: "1" });
  const exited = new Promise((resolve) => server.process.once("exit", resolve));
  await server.api.call("POST", "/latest/develop/restart");
  expect(await exited).toBe(75);
}, 60_000);
