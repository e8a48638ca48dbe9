export { createFakeScanner, type FakeScanner, type FakeScannerOptions } from "./fake-scanner.js";
export type { FakeRequest } from "./fake-rest.js";
export type { Patch } from "./patched.js";
