import { expect, test } from "vitest";
import { SteadyTexts } from "./steady-texts.js";

test.each([
  ["at once", ["a", "a"], ["", "a"]],
  ["with others between", ["a", "", "b", "", "a"], ["", "", "", "", "a"]],
  [
    "never, when the first sight is too long ago",
    ["a", "", "", "", "", "a", "a"],
    ["", "", "", "", "", "", "a"],
  ],
  ["several in one frame", ["a b", "b", "a b"], ["", "b", "a b"]],
  ["twice in one frame is once", ["a a", "a"], ["", "a"]],
])("a text counts in the second of five frames: %s", (_, frames, expected) => {
  const steady = new SteadyTexts();
  const words = (text: string) => text.split(" ").filter(Boolean);
  expect(frames.map((frame) => steady.see(words(frame)).join(" "))).toEqual(expected);
});
