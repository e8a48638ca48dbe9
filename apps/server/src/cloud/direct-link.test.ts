import { expect, test } from "vitest";
import { directLink } from "./direct-link.js";

test.each([
  ["https://www.dropbox.com/s/abc/vase.zip?dl=0", "https://www.dropbox.com/s/abc/vase.zip?dl=1"],
  ["https://www.dropbox.com/scl/fi/abc?rlkey=x&dl=0", "https://www.dropbox.com/scl/fi/abc?rlkey=x&dl=1"],
  ["https://dropbox.com/s/abc", "https://dropbox.com/s/abc?dl=1"],
  [
    "http://openscan.example/get?id=https%3A%2F%2Fwww.dropbox.com%2Fs%2Fabc%3Fdl%3D0",
    "https://www.dropbox.com/s/abc?dl=1",
  ],
  ["http://openscan.example/get?id=5", "http://openscan.example/get?id=5"],
  ["https://notdropbox.com/s/abc?dl=0", "https://notdropbox.com/s/abc?dl=0"],
  ["https://cloud.example/model/a%20b.zip?sig=x%2By", "https://cloud.example/model/a%20b.zip?sig=x%2By"],
])("the file of %s is at %s", (link, direct) => {
  expect(directLink(link)).toBe(direct);
});
