import { expect, test } from "vitest";
import { AllowedHost, AllowedOrigin } from "./allowed.js";

test.each([
  ["Scanner.Example.org", "scanner.example.org"],
  ["scanner.example.org.", "scanner.example.org"],
  ["203.0.113.7", "203.0.113.7"],
  ["2001:DB8::7", "2001:db8::7"],
  ["[2001:db8::7]", "2001:db8::7"],
])("host %s", (text, host) => {
  expect(AllowedHost.parse(text)).toBe(host);
});

test.each([
  "",
  "*",
  "*.example.org",
  "scanner.example.org:8000",
  "[::1]:80",
  "http://scanner.example.org",
  "a b",
])("%j is no host", (text) => {
  expect(AllowedHost.safeParse(text).success).toBe(false);
});

test.each([
  ["null", "null"],
  ["https://UI.example.org", "https://ui.example.org"],
  ["https://ui.example.org:443", "https://ui.example.org"],
  ["http://ui.example.org:8080", "http://ui.example.org:8080"],
  ["https://bücher.example", "https://xn--bcher-kva.example"],
  ["chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"],
])("origin %s", (text, origin) => {
  expect(AllowedOrigin.parse(text)).toBe(origin);
});

test.each([
  "",
  "*",
  "ui.example.org",
  "https://*.example.org",
  "https://ui.example.org/",
  "https://a@b",
  "https://a b",
])("%j is no origin", (text) => {
  expect(AllowedOrigin.safeParse(text).success).toBe(false);
});
