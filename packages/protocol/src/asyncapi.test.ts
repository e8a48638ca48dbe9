import { type Diagnostic, Parser } from "@asyncapi/parser";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { z } from "zod";
import { type AsyncApiDocument, asyncApiDocument } from "./asyncapi.js";
import { defineEvent, Envelope, namespaces } from "./index.js";

const options = { version: "1.2.3", host: "scanner.local:8000", mounts: ["v0.9", "latest"] };
const document = asyncApiDocument(options);
const { messages, schemas } = document.components;

async function problems(checked: AsyncApiDocument): Promise<Diagnostic[]> {
  const { diagnostics } = await new Parser().parse(JSON.stringify(checked));
  // 3.0 is what most tools read; 3.1 adds nothing to it that we need.
  return diagnostics.filter(({ code }) => code !== "asyncapi-latest-version");
}

/** The example of a message, which is the only one. */
function exampleOf(key: string): Record<string, unknown> {
  const examples = messages[key]?.examples ?? [];
  expect(examples, key).toHaveLength(1);
  return examples[0]?.payload as Record<string, unknown>;
}

test("the official parser finds nothing to complain of", async () => {
  expect(await problems(document)).toEqual([]);
}, 120_000);

/** What draft 7 of JSON Schema, as an independent implementation reads it, says of an example. */
function verdict(key: string, example: unknown): string[] {
  const { payload } = messages[key] as { payload: object };
  const formats = { "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ };
  const validate = new Ajv({ formats })
    .addVocabulary(["components"])
    .compile({ allOf: [payload], components: { schemas } });
  validate(example);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

test("every example fits its schema", () => {
  for (const key of Object.keys(messages)) expect(verdict(key, exampleOf(key)), key).toEqual([]);
});

test.each([
  ["v1.task.update", { task: { status: "asleep" } }],
  ["v1.photo.captured", { prev: "before" }],
  ["legacy.device.status", { device: {} }],
  ["v1.subscribe", { min_interval: -1 }],
])("an example of %s that is wrong does not fit", (key, wrong) => {
  expect(verdict(key, { ...exampleOf(key), ...wrong })).not.toEqual([]);
});

test("each event type, derived type and snapshot is a message of its channel, in its dialects", () => {
  for (const { name, events, derived } of Object.values(namespaces)) {
    const expected = [...Object.keys(events), ...Object.keys(derived)].map((type) => `v1.${type}`);
    expect(Object.keys(document.channels[name]?.messages ?? {})).toEqual(
      expect.arrayContaining([...expected, `v1.${name}.snapshot`, "v1.hello", "v1.ping", "v1.error"]),
    );
  }
  const legacy = (name: string) => document.operations[name]?.messages.map(({ $ref }) => $ref);
  expect(legacy("sendTasksLegacy")).toEqual([
    "#/channels/tasks/messages/legacy.task.update",
    "#/channels/tasks/messages/legacy.ping",
  ]);
  expect(legacy("sendDeviceLegacy")).toEqual([
    "#/channels/device/messages/legacy.device.status",
    "#/channels/device/messages/legacy.ping",
  ]);
  expect(legacy("receiveTasksV1")).toEqual(["#/channels/tasks/messages/v1.subscribe"]);
});

test("examples are what the definitions say, with nothing that no schema knows", () => {
  for (const { name, events, derived, snapshotSchema, legacyEvent } of Object.values(namespaces)) {
    const v1 = Object.entries({ ...events, ...derived }).map(
      ([type, { schema }]) => [`v1.${type}`, schema] as const,
    );
    for (const [key, schema] of [...v1, [`v1.${name}.snapshot`, snapshotSchema] as const]) {
      const { seq, prev, ts, ...event } = exampleOf(key);
      expect(Envelope.parse({ seq, prev, ts }), key).toEqual({ seq, prev, ts });
      expect(schema.parse(event), key).toEqual(event);
    }
    for (const { shape } of legacyEvent.options) {
      const example = exampleOf(`legacy.${shape.type.value}`);
      expect(legacyEvent.parse(example)).toEqual(example);
    }
  }
});

test("the examples of a v1 channel are one conversation without a gap", () => {
  for (const { name, events, derived } of Object.values(namespaces)) {
    let last: unknown = null;
    for (const type of [`${name}.snapshot`, ...Object.keys(events), ...Object.keys(derived)]) {
      const { prev, seq } = exampleOf(`v1.${type}`);
      expect(prev, type).toBe(last);
      last = seq;
    }
  }
});

test("what a query may say follows the options of a stream", () => {
  const parameters = (name: string) => {
    const query = document.components.channelBindings[name]?.ws.query as { properties: object };
    return Object.keys(query.properties);
  };
  const others = ["min_interval", "delta", "since", "epoch", "ticket"];
  expect(parameters("tasks")).toEqual(["v", "types", "ids", ...others]);
  expect(parameters("device")).toEqual(["v", "types", "paths", ...others]);
});

test("schemas are named, occur once, and forbid no further members", () => {
  const text = JSON.stringify(document);
  expect(text).not.toContain('"additionalProperties":false');
  expect(Object.keys(schemas)).toEqual(expect.arrayContaining(["Task", "DeviceStatus", "MotorSettings"]));
  const referred = new Set([...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name));
  expect([...referred].sort()).toEqual(Object.keys(schemas));
  expect(text.match(/steps_per_rotation":\{/g)).toHaveLength(1);
});

test("a new namespace and its events appear by themselves, and are valid", async () => {
  const gust = defineEvent({
    schema: z.object({ type: z.literal("weather.gust"), speed: z.number().describe("m/s") }),
    description: "The wind blew.",
    example: () => ({ type: "weather.gust" as const, speed: 12 }),
    legacy: (event) => event,
  });
  const weather = {
    name: "weather",
    filters: [],
    events: { "weather.gust": gust },
    derived: {},
    legacyEvent: gust.schema,
    snapshotSchema: z.object({ type: z.literal("weather.snapshot"), calm: z.boolean() }),
    exampleSnapshot: () => ({ type: "weather.snapshot" as const, calm: true }),
  };
  const extended = asyncApiDocument({ ...options, namespaces: { ...namespaces, weather } });
  expect(await problems(extended)).toEqual([]);
  expect(extended.channels["weather"]).toMatchObject({ address: "/ws/weather" });
  expect(extended.components.messages["v1.weather.gust"]).toMatchObject({
    summary: "The wind blew.",
    payload: { allOf: [{}, { $ref: "#/components/schemas/WeatherGust" }] },
  });
  expect(extended.components.messages["legacy.weather.gust"]?.examples).toEqual([
    { payload: { type: "weather.gust", speed: 12 } },
  ]);
  expect(extended.components.schemas["WeatherGust"]).toMatchObject({
    properties: { speed: { description: "m/s" } },
  });
}, 120_000);
