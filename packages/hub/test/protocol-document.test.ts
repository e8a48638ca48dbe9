import { readFileSync } from "node:fs";
import {
  closeCodes,
  Envelope,
  ErrorMessage,
  Hello,
  type NamespaceDefinition,
  namespaces,
  Ping,
  Subscribe,
} from "@openscan/protocol";
import { expect, test } from "vitest";
import { defaultLimits } from "../src/limits.js";

const document = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8");
const examples = [...document.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json = ""]) => JSON.parse(json));

/** All of these are objects. */
const enveloped = (schema: NamespaceDefinition["snapshotSchema"]) =>
  (schema as unknown as typeof Envelope).extend(Envelope.shape).strict();
const definitions = Object.values(namespaces) as unknown as NamespaceDefinition[];
const schemas: readonly { safeParse(value: unknown): { success: boolean; data?: unknown } }[] = [
  ...[Hello, Ping, ErrorMessage, Subscribe].map((schema) => schema.strict()),
  ...definitions.flatMap(({ events, derived, snapshotSchema }) =>
    [...Object.values(events), ...Object.values(derived), { schema: snapshotSchema }].map(({ schema }) =>
      enveloped(schema),
    ),
  ),
];

test.each(examples.map((example) => [example.type as string, example]))(
  "the example of %s is a message of the protocol",
  (_, example) => {
    const parsed = schemas.map((schema) => schema.safeParse(example)).find(({ success }) => success);
    expect(parsed?.data).toEqual(example);
  },
);

test("every type of message has an example", () => {
  const types = definitions.flatMap(({ events, derived }) => [
    ...Object.keys(events),
    ...Object.keys(derived),
  ]);
  const shown = new Set(examples.map(({ type }) => type));
  expect(
    [...types, "hello", "ping", "error", "subscribe", "tasks.snapshot"].filter((type) => !shown.has(type)),
  ).toEqual([]);
});

test("every close code and limit is told", () => {
  const codes = document.slice(document.indexOf("## 14."), document.indexOf("## 15."));
  for (const { code } of Object.values(closeCodes)) expect(codes).toContain(`${code}`);
  const { connections, mergeBytes, pendingBytes, historyEvents, historyBytes, historyAgeMs } = defaultLimits;
  expect(document).toContain(
    `| history of a namespace | ${historyEvents} events, ${historyBytes / 1024} KiB, 1 h |`,
  );
  expect(document).toContain(`| connections over all namespaces | ${connections};`);
  expect(document).toContain(`Above ${mergeBytes / 1024} KiB, state is merged`);
  expect([pendingBytes, historyAgeMs]).toEqual([1024 * 1024, 3_600_000]);
});

test("every reference within the document leads somewhere", () => {
  const anchors = [...document.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^a-z0-9 -]/g, "")
      .replaceAll(" ", "-"),
  );
  for (const [, anchor = ""] of document.matchAll(/\]\(#([^)]*)\)/g)) expect(anchors).toContain(anchor);
  const sections = [...document.matchAll(/^## (\d+)\./gm)].map(([, number]) => number);
  for (const [, number] of document.matchAll(/sections? (\d+)\b/g)) expect(sections).toContain(number);
});
