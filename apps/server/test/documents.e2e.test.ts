import { type AsyncApiDocument, asyncApiDocument } from "@openscan/protocol/asyncapi";
import type { OpenApiDocument } from "@openscan/protocol/openapi";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv, type ValidateFunction } from "ajv";
import { expect, test } from "vitest";
import { became, type Listener, type Message } from "./support/api.js";
import { startServer } from "./support/in-process.js";

const mounts = ["v0.8", "v0.9", "next", "latest"];

test("the description of the streams is everywhere the same, and names the address that was asked", async () => {
  const { api } = await startServer();
  const host = api.url.replace("http://", "");
  const expected = asyncApiDocument({ version: "1.2.3", host, mounts });
  for (const prefix of ["", "/api"])
    for (const mount of ["", ...mounts.map((name) => `/${name}`)]) {
      const { status, headers, body } = await api.call("GET", `${prefix}${mount}/asyncapi.json`);
      expect(status).toBe(200);
      expect(headers.get("Content-Type")).toBe("application/json; charset=utf-8");
      expect(body).toEqual(expected);
    }
  expect((await api.call<string>("GET", "/api/metrics")).body).toContain("openscan_connections");
});

test("without a token the documents can be read, the figures cannot", async () => {
  const { api } = await startServer(undefined, { config: { token: "c".repeat(32) } });
  for (const path of ["/docs", "/docs.js", "/docs.css", "/asyncapi.json", "/api/next/asyncapi.json"])
    expect((await api.call("GET", path)).status, path).toBe(200);
  for (const path of ["/metrics", "/api/metrics"]) expect((await api.call("GET", path)).status).toBe(401);
});

test("what the streams of a running server say is what the document says", async () => {
  const { api } = await startServer();
  const { body: document } = await api.call<AsyncApiDocument>("GET", "/asyncapi.json");
  const described = new Map(Object.keys(document.channels).map((name) => [name, validators(document, name)]));
  const listeners: [channel: string, dialect: string, Listener][] = [
    ["tasks", "legacy", await api.listen("tasks")],
    ["tasks", "v1", await api.listen("tasks", "", "?v=1&min_interval=soon")],
    ["device", "legacy", await api.listen("device")],
    ["device", "v1", await api.listen("device", "", "?v=1&delta=1")],
    ["device", "v1", await api.listen("device", "", "?v=1")],
  ];
  const [[, , legacyTasks], [, , v1Tasks]] = listeners as [(typeof listeners)[0], (typeof listeners)[0]];
  const { id } = await api.startScan("vase", { points: 2 });
  await legacyTasks.find(became(id, "completed"));
  await api.call("DELETE", `/latest/tasks/${id}/cleanup`);
  await v1Tasks.find(({ type }) => type === "task.deleted");

  const seen = new Set<string>();
  for (const [channel, dialect, { messages }] of listeners)
    for (const message of messages) {
      const fitting = matching(described.get(channel)?.get(`${dialect} ${message.type}`) ?? [], message);
      expect(fitting, `${dialect} ${JSON.stringify(message)}`).not.toEqual([]);
      for (const key of fitting) seen.add(key);
    }
  expect([...seen].sort()).toEqual([
    "legacy.device.status",
    "legacy.task.update",
    "v1.device.delta",
    "v1.device.snapshot",
    "v1.device.status",
    "v1.error",
    "v1.hello",
    "v1.photo.captured",
    "v1.task.deleted",
    "v1.task.update",
    "v1.tasks.snapshot",
  ]);
}, 120_000);

type Described = readonly (readonly [key: string, validate: ValidateFunction])[];

/** The messages that the server may send in a channel, by dialect and type. */
function validators(document: AsyncApiDocument, channel: string): Map<string, Described> {
  const ajv = new Ajv({ formats: { "date-time": true } }).addVocabulary(["components"]);
  const components = { schemas: document.components.schemas };
  const found = new Map<string, Described>();
  for (const { action, channel: of, messages } of Object.values(document.operations)) {
    if (action !== "send" || of.$ref !== `#/channels/${channel}`) continue;
    for (const { $ref } of messages) {
      const key = $ref.split("/").at(-1) ?? "";
      const message = document.components.messages[key];
      if (!message) throw new Error(`the document has no ${$ref}`);
      const name = `${key.split(".")[0]} ${message.name}`;
      const validate = ajv.compile({ allOf: [message.payload], components });
      found.set(name, [...(found.get(name) ?? []), [key, validate]]);
    }
  }
  return found;
}

function matching(described: Described, message: Message): string[] {
  return described.filter(([, validate]) => validate(message)).map(([key]) => key);
}

test("each mount describes its version: valid, with its own address, as far as it reaches", async () => {
  const { api } = await startServer();
  for (const mount of mounts)
    for (const prefix of ["", "/api"]) {
      const { body } = await api.call<OpenApiDocument>("GET", `${prefix}/${mount}/openapi.json`);
      expect(await new Validator().validate({ ...body }), mount).toEqual({ valid: true });
      expect(body.servers).toEqual([{ url: `${prefix}/${mount}` }]);
      expect(body.info.title).toBe(
        `OpenScan3 API ${mount === "next" ? "vnext" : mount.replace("latest", "v0.9")}`,
      );
      expect("/triggers/" in body.paths).toBe(mount === "next");
    }
  expect((await api.call("GET", "/openapi.json")).status).toBe(404);
});

test("without a token the API can be read about", async () => {
  const { api } = await startServer(undefined, { config: { token: "c".repeat(32) } });
  for (const path of ["openapi.json", "docs", "docs/swagger-ui.css", "docs/swagger-ui-bundle.js", "redoc"])
    expect((await api.call("GET", `/api/v0.9/${path}`)).status, path).toBe(200);
  for (const path of ["docs/package.json", "docs/..%2fpackage.json", "docs/index.html"])
    expect((await api.call("GET", `/v0.9/${path}`)).status, path).not.toBe(200);
});
