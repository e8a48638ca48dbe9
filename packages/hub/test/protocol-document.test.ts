import { readFileSync } from "node:fs";
import { namespaces, Ping } from "@openscan/protocol";
import { expect, test } from "vitest";

const document = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8");
const examples = [...document.matchAll(/```json\n([\s\S]*?)```/g)].map(([, json = ""]) => JSON.parse(json));

test("every example of the published protocol is a message of it", () => {
  expect(examples).toHaveLength(3);
  for (const example of examples) {
    const schemas = [Ping, ...Object.values(namespaces).map(({ event }) => event)];
    const parsed = schemas.map((schema) => schema.safeParse(example)).find(({ success }) => success);
    expect(parsed?.data).toEqual(example);
  }
});
