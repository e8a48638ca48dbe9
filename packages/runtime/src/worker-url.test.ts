import { expect, test } from "vitest";
import { workerUrl } from "./worker-url.js";

test("a module in src is sent to its built worker, also below another folder called src", () => {
  expect(workerUrl("file:///src/pkg/src/camera/render.ts", "./worker.js").href).toBe(
    "file:///src/pkg/dist/camera/worker.js",
  );
});

test("a built module finds the worker beside it", () => {
  expect(workerUrl("file:///pkg/dist/camera/render.js", "./worker.js").href).toBe(
    "file:///pkg/dist/camera/worker.js",
  );
});
