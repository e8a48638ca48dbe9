import { expect, test } from "vitest";
import * as sdk from "./index.js";

test("the names that the package exports", () => {
  expect(Object.keys(sdk).toSorted()).toEqual(["ConnectionError", "RequestError", "createScannerClient"]);
});
