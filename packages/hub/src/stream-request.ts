import { type ErrorMessage, type NamespaceName, namespaces, StreamOptions } from "@openscan/protocol";

/** A parameter that counts as absent, and why. */
export type Problem = Pick<ErrorMessage, "code" | "message">;

/** How a client wants to be told what happens. */
export interface StreamRequest {
  readonly dialect: "legacy" | "v1";
  readonly options?: StreamOptions;
  readonly problems?: readonly Problem[];
}

export const legacyRequest: StreamRequest = { dialect: "legacy" };

/** What v1 clients write into the query of the URL. */
export function requestInQuery(namespace: NamespaceName, query: URLSearchParams): StreamRequest {
  const list = (name: string) => (query.has(name) ? query.getAll(name).join(",").split(",") : undefined);
  const last = (name: string) => query.getAll(name).at(-1);
  return checked(namespace, {
    types: list("types"),
    ids: list("ids"),
    paths: list("paths"),
    min_interval: asNumber(last("min_interval")),
    delta: asBoolean(last("delta")),
    since: asNumber(last("since")),
    epoch: last("epoch"),
  });
}

/** The request in a client's text message; `undefined` when it is something else, to be ignored. */
export function requestInMessage(namespace: NamespaceName, text: string): StreamRequest | undefined {
  const message = parsed(text);
  if (typeof message !== "object" || message === null || !("type" in message)) return undefined;
  return message.type === "subscribe" ? checked(namespace, { ...message }) : undefined;
}

/** Takes what is good of it; each bad value is a problem of its own. */
function checked(namespace: NamespaceName, values: Readonly<Record<string, unknown>>): StreamRequest {
  const options: Record<string, unknown> = {};
  const problems: Problem[] = [];
  const { filters } = namespaces[namespace];
  for (const [name, schema] of Object.entries(StreamOptions.shape)) {
    const value = values[name];
    if (value === undefined) continue;
    const result = schema.safeParse(value);
    if (!result.success) {
      problems.push({ code: "invalid", message: `${name}: ${result.error.issues[0]?.message}` });
    } else if ((name === "ids" || name === "paths") && !(filters as readonly string[]).includes(name)) {
      problems.push({ code: "unsupported", message: `${name}: the stream ${namespace} has no such filter` });
    } else {
      options[name] = result.data;
    }
  }
  return { dialect: "v1", options, problems };
}

function asNumber(text: string | undefined): unknown {
  return text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : text;
}

function asBoolean(text: string | undefined): unknown {
  if (text === "1" || text === "true") return true;
  return text === "0" || text === "false" ? false : text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
