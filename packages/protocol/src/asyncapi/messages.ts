import { z } from "zod";
import type { NamespaceDefinition, TypedMessage } from "../namespace.js";
import { Envelope, ErrorMessage, Hello, Ping, Subscribe } from "../wire.js";
import type { JsonSchema, NamedSchemas, Reference } from "../named-schemas.js";

export interface Message {
  /** The `type` on the wire. */
  readonly name: string;
  readonly title: string;
  readonly summary: string;
  readonly payload: JsonSchema | Reference;
  readonly examples: readonly { readonly payload: unknown }[];
}

/** What a document tells of a namespace. */
export type DescribedNamespace = Pick<
  NamespaceDefinition,
  "name" | "filters" | "events" | "derived" | "legacyEvent" | "snapshotSchema" | "exampleSnapshot"
>;

/** Messages by their name in the document. */
export type Messages = Readonly<Record<string, Message>>;

/** What one channel carries, by dialect and sender. */
export interface ChannelMessages {
  readonly legacy: { readonly server: Messages; readonly client: Messages };
  readonly v1: { readonly server: Messages; readonly client: Messages };
}

const seq = 41;
const ts = "2026-03-01T10:17:12.345Z";
const LegacyPing = Ping.omit({ last: true });

/** Everything that is said in a namespace; the examples of v1 are one conversation. */
export function messagesOf(namespace: DescribedNamespace, schemas: NamedSchemas): ChannelMessages {
  return {
    legacy: { server: legacyMessages(namespace, schemas), client: legacyText },
    v1: { server: v1Messages(namespace, schemas), client: subscribe(schemas) },
  };
}

function v1Messages(namespace: DescribedNamespace, schemas: NamedSchemas): Messages {
  const envelope = schemas.reference(Envelope, "Envelope");
  const event = (type: string, schema: z.ZodType): JsonSchema => ({
    allOf: [envelope, schemas.reference(schema, pascalCase(type), `V1${pascalCase(type)}`)],
  });
  const snapshot = namespace.exampleSnapshot() as TypedMessage;
  return {
    ...message("v1.hello", {
      summary: "The first message of a v1 connection.",
      payload: schemas.reference(Hello, "Hello"),
      example: helloExample,
    }),
    [`v1.${namespace.name}.snapshot`]: {
      name: snapshot.type,
      title: `v1: ${snapshot.type}, snapshot`,
      summary: "The whole state; what follows continues from it.",
      payload: event(`${namespace.name}.snapshot`, namespace.snapshotSchema),
      examples: [{ payload: { ...snapshot, seq, prev: null, ts } }],
    },
    ...merged(
      Object.entries({ ...namespace.events, ...namespace.derived }).map(
        ([type, { schema, description, example }], index) =>
          message(`v1.${type}`, {
            summary: description,
            payload: event(type, schema),
            example: { ...(example() as TypedMessage), seq: seq + index + 1, prev: seq + index, ts },
          }),
      ),
    ),
    ...message("v1.ping", {
      summary: "A sign of life after 30 s without a message; not an event.",
      payload: schemas.reference(Ping, "Ping"),
      example: { type: "ping", last: seq },
    }),
    ...message("v1.error", {
      summary: "Something that the client asked for is wrong and was left out; the connection stays open.",
      payload: schemas.reference(ErrorMessage, "ErrorMessage"),
      example: {
        type: "error",
        code: "invalid",
        message: "min_interval: Invalid input: expected number, received string",
      },
    }),
  };
}

function legacyMessages(namespace: DescribedNamespace, schemas: NamedSchemas): Messages {
  const examples = Object.values(namespace.events).map(({ legacy, example }) => legacy(example()));
  return {
    ...merged(
      variants(namespace.legacyEvent).map((schema) => {
        const type = schema.shape.type.value;
        return message(`legacy.${type}`, {
          summary: namespace.events[type]?.description ?? "",
          payload: schemas.reference(schema, pascalCase(type), `Legacy${pascalCase(type)}`),
          example: examples.find((example) => example?.type === type),
        });
      }),
    ),
    ...message("legacy.ping", {
      summary: "A sign of life after 30 s without a message.",
      payload: schemas.reference(LegacyPing, "LegacyPing"),
      example: { type: "ping" },
    }),
  };
}

/** Of a legacy client everything is accepted, and only `subscribe` means something. */
const legacyText: Messages = {
  "legacy.text": {
    name: "text",
    title: "legacy: any text",
    summary: "Ignored, whatever it says. Clients tend to answer pings with it.",
    payload: {},
    examples: [{ payload: { type: "pong" } }],
  },
};

function subscribe(schemas: NamedSchemas): Messages {
  return message("v1.subscribe", {
    summary:
      "Replaces the filter; a fresh snapshot answers it. As the first message of a legacy connection it makes that one v1, and may carry `since` and `epoch`.",
    payload: schemas.reference(Subscribe, "Subscribe"),
    example: { type: "subscribe", paths: ["motors.*"], min_interval: 200, delta: true },
  });
}

const helloExample: Hello = {
  type: "hello",
  protocol: 1,
  server: { name: "openscan", version: "1.0.0", instance: "6f1f9f3e-4f5e-4a53-8d1a-3a3c5b0e0b9c" },
  namespace: "device",
  epoch: "c5b0e0b9-6f0f-4f5e-8a53-0d1a3a3c5b0e",
  seq,
  now: ts,
  heartbeat_ms: 30_000,
  resume: { max_events: 4096, max_age_ms: 3_600_000, recovered: null },
};

interface Contents {
  readonly summary: string;
  readonly payload: JsonSchema | Reference;
  readonly example: unknown;
}

function message(key: string, { summary, payload, example }: Contents): Messages {
  const [, dialect = "", type = ""] = /^(\w+)\.(.+)$/.exec(key) ?? [];
  return {
    [key]: { name: type, title: `${dialect}: ${type}`, summary, payload, examples: [{ payload: example }] },
  };
}

function merged(all: readonly Messages[]): Messages {
  return Object.assign({}, ...all) as Messages;
}

type Variant = z.ZodObject<{ type: z.ZodLiteral<string> }>;

function variants(schema: z.ZodType): readonly Variant[] {
  return (schema instanceof z.ZodUnion ? schema.options : [schema]) as Variant[];
}

/** `task.update` as a name of a type: `TaskUpdate`. */
function pascalCase(type: string): string {
  return type.replaceAll(/(?:^|[._])(\w)/g, (_, letter: string) => letter.toUpperCase());
}
