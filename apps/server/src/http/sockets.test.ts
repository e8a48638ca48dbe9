import { expect, test } from "vitest";
import { namespaceOf } from "./sockets.js";

test.each(["", "/v0.8", "/v0.9", "/latest", "/next"])(
  "both streams are reachable below %j and /api",
  (mount) => {
    for (const name of ["tasks", "device"]) {
      expect(namespaceOf(`${mount}/ws/${name}`)).toBe(name);
      expect(namespaceOf(`/api${mount}/ws/${name}`)).toBe(name);
    }
  },
);

test.each([
  "/ws/tasks/",
  "/ws/",
  "/ws/other",
  "/ws/toString",
  "/v0a9/ws/tasks",
  "/v1/ws/tasks",
  "/api/api/ws/tasks",
  "/latest/ws/tasks/x",
  "/",
])("%s is no stream", (path) => {
  expect(namespaceOf(path)).toBeUndefined();
});
