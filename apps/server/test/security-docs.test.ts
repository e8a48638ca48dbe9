import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const here = fileURLToPath(new URL(".", import.meta.url));
const read = (path: string) => readFile(new URL(path, import.meta.url), "utf8");

test("the attacks that docs/security.md lists and the tests that attack are the same", async () => {
  const files = await readdir(here);
  const titlesIn = async (names: readonly string[]) => {
    const sources = await Promise.all(names.map(read));
    return sources.flatMap((source) =>
      [...source.matchAll(/\btest(?:\.skipIf\(\w+\))?\(\s*["`](.+?)(?:\$\{\w+\})?["`],/g)].map(
        ([, title]) => title,
      ),
    );
  };
  const attacks = await titlesIn(files.filter((name) => /^security.*\.e2e\.test\.ts$/.test(name)));
  const all = await titlesIn(files.filter((name) => name.endsWith(".e2e.test.ts")));
  const table = (await read("../../../docs/security.md")).split("| attack | answer | test |")[1] ?? "";
  const listed = [...table.matchAll(/^\|[^|]*\|[^|]*\| ([^|-]+.*) \|$/gm)].map(([, title]) => title);
  expect(listed.length).toBeGreaterThan(20);
  expect(attacks.filter((title) => !listed.includes(title))).toEqual([]);
  expect(listed.filter((title) => !all.includes(title))).toEqual([]);
  expect(new Set(listed).size).toBe(listed.length);
});
