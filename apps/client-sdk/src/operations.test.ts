import * as protocol from "@openscan/protocol";
import type { DeviceStatus, LightStatus, MotorSettings, Scan, Task } from "@openscan/protocol";
import { expect, expectTypeOf, test } from "vitest";
import { createScannerClient, type Input, type Operation, type Reply, type ScannerClient } from "./index.js";

test("replies are typed by the definitions, those in groups included", () => {
  expectTypeOf<Reply<"GET /tasks/">>().toEqualTypeOf<Task[]>();
  expectTypeOf<Reply<"GET /tasks/{task_id}">>().toEqualTypeOf<Task>();
  expectTypeOf<Reply<"GET /device/info">>().toEqualTypeOf<DeviceStatus>();
  expectTypeOf<Reply<"PATCH /lights/{light_name}/turn_on">>().toEqualTypeOf<LightStatus>();
  expectTypeOf<Reply<"PATCH /motors/{name}/settings">>().toEqualTypeOf<MotorSettings>();
  expectTypeOf<Reply<"PUT /triggers/{name}/settings">>().toEqualTypeOf<protocol.TriggerSettings>();
  expectTypeOf<Reply<"GET /projects/{project_name}/scans/{scan_index}">>().toEqualTypeOf<Scan>();
  expectTypeOf<Reply<"DELETE /tasks/{task_id}/cleanup">>().toEqualTypeOf<undefined>();
});

test("what has to be given is typed too, and nothing else may be", () => {
  expectTypeOf<Input<"GET /tasks/{task_id}">>().toEqualTypeOf<{
    readonly params: { task_id: string };
  }>();
  expectTypeOf<Input<"PUT /motors/{motor_name}/endstop-calibration">["query"]>().toEqualTypeOf<
    { force?: boolean | undefined } | undefined
  >();
  expectTypeOf<Input<"PATCH /motors/{motor_name}/angle">["body"]>().toEqualTypeOf<{ degrees: number }>();
  expectTypeOf<Input<"POST /projects/{project_name}/scan">["query"]["camera_name"]>().toBeString();
  expectTypeOf<Input<"POST /projects/{project_name}/scan">["body"]>().toExtend<{
    points?: number | undefined;
  }>();
  expectTypeOf<Input<"GET /tasks/">>().toEqualTypeOf<unknown>();
});

/** Never called: tsc reads it. */
export async function compiled(client: ScannerClient) {
  const task: Task = await client.request("GET /tasks/{task_id}", { params: { task_id: "a" } });
  await client.request("GET /tasks/");
  await client.request("GET /tasks/", { timeoutMs: 5, signal: new AbortController().signal });
  await client.request("POST /triggers/{trigger_name}/trigger", { params: { trigger_name: "t" } });
  // @ts-expect-error no such operation
  await client.request("GET /nothing");
  // @ts-expect-error of another method
  await client.request("POST /tasks/");
  // @ts-expect-error params are missing
  await client.request("GET /tasks/{task_id}");
  // @ts-expect-error a param of another name
  await client.request("GET /tasks/{task_id}", { params: { id: "a" } });
  // @ts-expect-error the body is missing
  await client.request("PATCH /motors/{name}/settings", { params: { name: "m" } });
  const params = { motor_name: "m" };
  // @ts-expect-error a query of the wrong kind
  await client.request("PUT /motors/{motor_name}/angle", { params, query: { degrees: "1" } });
  // @ts-expect-error not something to fetch
  client.url("PATCH /lights/{light_name}/turn_on", { params: { light_name: "l" } });
  return task;
}

test("every endpoint that the protocol exports is an operation, and is asked for as it is defined", async () => {
  const sent: string[] = [];
  const client = createScannerClient({
    url: "http://x",
    fetch: async (url, { method }) => {
      sent.push(`${method} ${new URL(url).pathname}`);
      return Response.json(null);
    },
  });
  const isEndpoint = (value: unknown): value is protocol.Endpoint =>
    typeof value === "object" && value !== null && "operationId" in value;
  const endpoints = Object.values(protocol).flatMap((value): protocol.Endpoint[] =>
    [value, ...Object.values(value as object)].filter(isEndpoint),
  );
  // What differs between the versions has a definition for each of them.
  const inVersions = endpoints.flatMap(({ method, path, versions }) =>
    versions.map((version) => `${version} ${method} ${path}`),
  );
  expect(new Set(inVersions).size).toBe(inVersions.length);
  const names = [...new Set(endpoints.map(({ method, path }) => `${method.toUpperCase()} ${path}`))];
  expect(names.length).toBeGreaterThan(106);
  const params = new Proxy({}, { get: () => "a/ü" });
  for (const name of names) await client.request(name as "GET /tasks/{task_id}", { params } as never);
  expect(sent).toEqual(
    names.map((name) => name.replace(" ", " /latest").replaceAll(/\{\w+\}/g, "a%2F%C3%BC")),
  );
  // Fails to compile when an exported endpoint is none of the operations.
  type Missing = Exclude<
    "GET /triggers/{name}/settings" | "GET /" | "PATCH /lights/{light_name}/toggle",
    Operation
  >;
  expectTypeOf<Missing>().toBeNever();
});
