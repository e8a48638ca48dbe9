import { FakeClock, recordingLogger } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { Access, type Asked } from "./access.js";

const control = "control-token-0123456789";
const view = "view-token-0123456789";
const intents = ["read", "change", "listen", "ticket"] as const;

function createAccess(tokens: { token?: string; viewToken?: string } = { token: control, viewToken: view }) {
  const clock = new FakeClock();
  const log = recordingLogger();
  return { clock, log, access: new Access({ clock, log, ...tokens }) };
}

const request = (token?: string, { url = "/", remoteAddress = "192.168.1.5" } = {}) => ({
  url,
  headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  socket: { remoteAddress },
});
const allowed = (access: Access, sent: ReturnType<typeof request>) =>
  intents.filter((intent) => access.refuse(sent, { intent }) === undefined);

test("without a configured token everybody may do everything", () => {
  const { access } = createAccess({});
  expect(access.scopes).toEqual([]);
  expect(allowed(access, request())).toEqual(intents);
  expect(allowed(access, request("whatever"))).toEqual(intents);
  expect(access.newTicket(request())).toHaveLength(43);
});

test("view may read and listen, control may also change, others nothing", () => {
  const { access } = createAccess();
  expect(allowed(access, request(control))).toEqual(intents);
  expect(allowed(access, request(view))).toEqual(["read", "listen", "ticket"]);
  expect(access.refuse(request(view), { intent: "change" })).toMatchObject({ code: "forbidden" });
  const refused: { headers?: unknown; code: string } = {
    code: "unauthorized",
    headers: { "WWW-Authenticate": "Bearer" },
  };
  for (const intent of intents) {
    expect(access.refuse(request(), { intent })).toMatchObject(refused);
    expect(
      access.refuse(request("wrong-token-0123456789", { remoteAddress: intent }), { intent }),
    ).toMatchObject(refused);
  }
});

test("a ticket listens with the scope of its creator, but in a GET it only reads, and never changes", () => {
  const { access } = createAccess();
  const withTicket = (token: string) =>
    request(undefined, { url: `/?ticket=${access.newTicket(request(token))}` });
  for (const token of [control, view]) {
    expect(access.refuse(withTicket(token), { intent: "listen" })).toBeUndefined();
    expect(access.refuse(withTicket(token), { intent: "read" })).toBeUndefined();
    expect(access.refuse(withTicket(token), { intent: "change" })).toMatchObject({ code: "unauthorized" });
    expect(access.refuse(withTicket(token), { intent: "ticket" })).toMatchObject({ code: "unauthorized" });
  }
  const once = withTicket(view);
  expect(access.refuse(once, { intent: "listen" })).toBeUndefined();
  expect(access.refuse(once, { intent: "listen" })).toMatchObject({
    code: "unauthorized",
    detail: "the ticket is wrong, used or too old",
  });
  expect(() => access.newTicket(request())).toThrow("a token is needed");
});

test("an upgrade takes the token from its subprotocols", () => {
  const { access } = createAccess();
  const offeredSubprotocols = ["openscan.v1", `openscan.bearer.${Buffer.from(view).toString("base64url")}`];
  const asked: Asked = { intent: "listen", offeredSubprotocols };
  expect(access.refuse(request(), asked)).toBeUndefined();
});

test("ten wrong tokens block an address for the rest of the minute, the right one included; others go on", async () => {
  const { access, clock, log } = createAccess();
  const attempt = (token: string, remoteAddress: string) =>
    access.refuse(request(token, { remoteAddress }), { intent: "read" });
  for (let i = 0; i < 10; i++)
    expect(attempt(`wrong-${i}`, "192.168.1.5")).toMatchObject({ code: "unauthorized" });
  expect(attempt(control, "192.168.1.5")).toEqual({
    code: "too_many",
    detail: "too many wrong tokens from 192.168.1.5; try again in 60 s",
    headers: { "Retry-After": "60" },
  });
  expect(attempt(control, "192.168.1.6")).toBeUndefined();
  await clock.advance(60_000);
  expect(attempt(control, "192.168.1.5")).toBeUndefined();
  expect(log.lines).toHaveLength(10);
  expect(JSON.stringify(log.lines)).not.toContain("wrong-");
});

test("neither a missing token nor a wrong ticket counts: a foreign image could send those", () => {
  const { access } = createAccess();
  for (let i = 0; i < 100; i++) {
    access.refuse(request(), { intent: "read" });
    access.refuse(request(undefined, { url: "/?ticket=wrong" }), { intent: "read" });
  }
  expect(access.refuse(request(control), { intent: "change" })).toBeUndefined();
});
