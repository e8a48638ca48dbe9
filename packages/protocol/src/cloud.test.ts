import { expect, test } from "vitest";
import { z } from "zod";
import { CloudSettings } from "./cloud.js";

test("cloud settings need a token only", () => {
  expect(CloudSettings.parse({ token: "t" })).toEqual({
    user: "openscan",
    password: "free",
    token: "t",
    host: "http://openscanfeedback.dnsuser.de:1334",
    split_size: 200_000_000,
  });
  expect(CloudSettings.safeParse({}).success).toBe(false);
  expect(CloudSettings.safeParse({ token: "t", split_size: 0 }).success).toBe(false);
});

test.each([
  ["http://localhost:1334", true],
  ["https://cloud.example.org/api/", true],
  ["http://[::1]:8080", true],
  ["", false],
  ["cloud.example.org", false],
  ["ftp://cloud.example.org", false],
  ["file:///etc/passwd", false],
  ["http://user:password@cloud.example.org", false],
  ["http://cloud.example.org/?token=x", false],
  [`http://${"a".repeat(2100)}.org`, false],
])("a host of %s is allowed: %s", (host, allowed) => {
  expect(CloudSettings.safeParse({ token: "t", host }).success).toBe(allowed);
});

test("the schema tells clients of defaults and bounds", () => {
  const { properties, required } = z.toJSONSchema(CloudSettings, { io: "input" });
  expect(required).toEqual(["token"]);
  expect(properties?.["host"]).toMatchObject({
    type: "string",
    format: "uri",
    minLength: 1,
    maxLength: 2083,
  });
  expect(properties?.["split_size"]).toMatchObject({ type: "integer", minimum: 1, default: 200_000_000 });
});
