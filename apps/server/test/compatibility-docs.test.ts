import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const repository = fileURLToPath(new URL("../../..", import.meta.url));

/** Every title of a test, the parts of which the tests are made included. */
async function titles(): Promise<string> {
  const texts: string[] = [];
  for (const part of ["apps", "packages"])
    for (const name of await readdir(join(repository, part)))
      for (const folder of ["src", "test"]) {
        const path = join(repository, part, name, folder);
        const files = await readdir(path, { recursive: true }).catch(() => []);
        for (const file of files.filter((file) => file.endsWith(".test.ts")))
          texts.push(await readFile(join(path, file), "utf8"));
      }
  return texts.join("\n");
}

test("docs/compatibility.md lists every known defect, and each that is fixed has a test named after it", async () => {
  const document = await readFile(join(repository, "docs", "compatibility.md"), "utf8");
  const rows = [...document.matchAll(/^\| (D?\d+) \| .+ \| (.+) \|$/gm)].map(([, id = "", here = ""]) => ({
    id,
    here,
  }));
  const numbers = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, at) => `${prefix}${at + 1}`);
  expect(rows.map(({ id }) => id)).toEqual([...numbers(26, "D"), ...numbers(44, "")]);
  const all = await titles();
  const isTested = (id: string) =>
    new RegExp(id.startsWith("D") ? `["\`](?:defect )?${id}:` : `["\`]defect ${id}:`).test(all);
  expect(rows.filter(({ id, here }) => !here.startsWith("does not apply") && !isTested(id))).toEqual([]);
});
