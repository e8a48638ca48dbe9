import { type Handshake, handshake, securitySchemes } from "./asyncapi/connection.js";
import {
  type ChannelMessages,
  type DescribedNamespace,
  type Message,
  type Messages,
  messagesOf,
} from "./asyncapi/messages.js";
import { type JsonSchema, NamedSchemas, type Reference } from "./named-schemas.js";
import * as protocol from "./index.js";
import { closeCodes, subprotocols } from "./wire.js";

export interface AsyncApiOptions {
  /** Of the server. */
  readonly version: string;
  /** Name and port under which the reader reaches the server. */
  readonly host: string;
  /** The first segments below which the streams are, besides none. */
  readonly mounts: readonly string[];
  /** By default all of the protocol. */
  readonly namespaces?: Readonly<Record<string, DescribedNamespace>>;
}

interface Channel {
  readonly address: string;
  readonly title: string;
  readonly summary: string;
  readonly messages: Readonly<Record<string, Reference>>;
  readonly bindings: Reference;
}

interface Operation {
  /** Seen from the server. */
  readonly action: "send" | "receive";
  readonly channel: Reference;
  readonly title: string;
  readonly summary: string;
  readonly messages: readonly Reference[];
}

/** An AsyncAPI 3.0 document: plain JSON. */
export interface AsyncApiDocument {
  readonly asyncapi: "3.0.0";
  readonly info: Readonly<Record<string, unknown>>;
  readonly defaultContentType: string;
  readonly servers: Readonly<Record<string, unknown>>;
  readonly channels: Readonly<Record<string, Channel>>;
  readonly operations: Readonly<Record<string, Operation>>;
  readonly components: {
    readonly messages: Readonly<Record<string, Message>>;
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly channelBindings: Readonly<Record<string, { readonly ws: Handshake }>>;
    readonly securitySchemes: typeof securitySchemes;
  };
  readonly "x-close-codes": readonly {
    readonly code: number;
    readonly name: string;
    readonly final: boolean;
  }[];
}

/** Describes the streams, drawn from the definitions that the server and the clients run on. */
export function asyncApiDocument({
  version,
  host,
  mounts,
  namespaces = protocol.namespaces,
}: AsyncApiOptions): AsyncApiDocument {
  const schemas = new NamedSchemas(protocol, { target: "draft-07", io: "output" });
  const streams = Object.values(namespaces).map((namespace) => ({
    name: namespace.name,
    ws: handshake(namespace.filters),
    said: messagesOf(namespace, schemas),
  }));
  const messages = Object.assign({}, ...streams.map(({ said }) => allOf(said))) as Messages;
  return {
    asyncapi: "3.0.0",
    info: {
      title: "OpenScan scanner: event streams",
      version,
      description,
      license: { name: "MIT" },
    },
    defaultContentType: "application/json",
    servers: servers(host, mounts),
    channels: Object.fromEntries(streams.map(({ name, said }) => [name, channel(name, said)])),
    operations: Object.assign({}, ...streams.map(({ name, said }) => operations(name, said))) as Record<
      string,
      Operation
    >,
    components: {
      messages,
      schemas: schemas.reachableFrom(messages),
      channelBindings: Object.fromEntries(streams.map(({ name, ws }) => [name, { ws }])),
      securitySchemes,
    },
    "x-close-codes": Object.entries(closeCodes).map(([name, { code, final }]) => ({
      code,
      name: name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
      final,
    })),
  };
}

const description = `Live state and events of a scanner. Each stream speaks two dialects.

**legacy** is what a client gets that asks for nothing: events, and nothing on connect. It ignores whatever the client says.

**v1** numbers the events, so that a client can prove that it missed none: \`hello\`, then a snapshot or every missed event, then the live stream. Ask for it with the subprotocol \`${subprotocols.v1}\`, with \`?v=1\`, or with \`subscribe\` as the first message.

Clients ignore types and members that they do not know.`;

function servers(host: string, mounts: readonly string[]): Record<string, unknown> {
  const server = (summary: string, pathname: string, variables = {}) => ({
    host,
    pathname,
    protocol: "ws",
    summary,
    ...variables,
    security: Object.keys(securitySchemes).map((name) => ({ $ref: `#/components/securitySchemes/${name}` })),
  });
  const mount = {
    variables: { mount: { enum: mounts, default: mounts[0], description: "a version of the REST API" } },
  };
  return {
    bare: server("The streams themselves.", "/"),
    mounted: server("The same streams below each version of the REST API.", "/{mount}", mount),
    api: server("The same for proxies that do not strip /api.", "/api"),
    apiMounted: server("The same for proxies that do not strip /api.", "/api/{mount}", mount),
  };
}

function channel(name: string, said: ChannelMessages): Channel {
  return {
    address: `/ws/${name}`,
    title: name,
    summary: `Events of the namespace ${name}.`,
    messages: Object.fromEntries(
      Object.keys(allOf(said)).map((key) => [key, { $ref: `#/components/messages/${key}` }]),
    ),
    bindings: { $ref: `#/components/channelBindings/${name}` },
  };
}

function operations(name: string, { legacy, v1 }: ChannelMessages): Record<string, Operation> {
  const channel = `#/channels/${name}`;
  const operation = (
    action: Operation["action"],
    dialect: string,
    summary: string,
    messages: Messages,
  ): Record<string, Operation> => ({
    [`${action}${capital(name)}${capital(dialect)}`]: {
      action,
      channel: { $ref: channel },
      title: `${name}, ${dialect}`,
      summary,
      messages: Object.keys(messages).map((key) => ({ $ref: `${channel}/messages/${key}` })),
    },
  });
  return {
    ...operation("send", "legacy", "What a client gets that asks for nothing.", legacy.server),
    ...operation("receive", "legacy", "What a legacy client may say.", legacy.client),
    ...operation("send", "v1", "What a client of v1 gets.", v1.server),
    ...operation("receive", "v1", "What a client of v1 may say.", v1.client),
  };
}

function allOf({ legacy, v1 }: ChannelMessages): Messages {
  return { ...legacy.server, ...legacy.client, ...v1.server, ...v1.client };
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
