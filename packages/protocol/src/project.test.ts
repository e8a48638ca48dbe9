import { expect, test } from "vitest";
import { ProjectName } from "./project.js";

test.each(["Vase", "Größe 2", "陶器", "it's v1.2-final_3", "a".repeat(150), "é"])(
  "%j is a project name",
  (name) => {
    expect(ProjectName.parse(name)).toBe(name.normalize("NFC"));
  },
);

test("a decomposed name is the same name as the composed one", () => {
  expect(ProjectName.parse("Cafe\u0301")).toBe("Caf\u00e9");
});

test.each([
  "",
  " ",
  " vase",
  "vase ",
  ".vase",
  "vase.",
  "..",
  "a/b",
  "a\\b",
  "a:b",
  "a*b",
  "what?",
  'a"b',
  "a<b",
  "a|b",
  "CON",
  "nul",
  "Com1",
  "lpt9",
  "a\nb",
  "a\u0000b",
  "smile 😀",
  "a&b",
  "a(b)",
  "50%",
  "a".repeat(151),
])("%j is refused", (name) => {
  expect(ProjectName.safeParse(name).success).toBe(false);
});
