import { CloudSettings } from "@openscan/protocol";
import { systemClock } from "@openscan/runtime";
import { FakeClock } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { type CloudFailure, FakeCloud } from "../../test/support/cloud.js";
import { RemoteCloud } from "./remote-cloud.js";

async function createRemote(change: Partial<CloudSettings> = {}, clock = systemClock) {
  const cloud = await FakeCloud.start();
  const settings = CloudSettings.parse({ ...cloud.settings(), ...change });
  return { cloud, remote: new RemoteCloud(settings, clock) };
}

test("every action is a GET with the account and the token, but the status, which needs none", async () => {
  const { cloud, remote } = await createRemote();
  await remote.status();
  await remote.tokenInfo();
  await remote.queueEstimate();
  await remote.createProject({ project: "vase & cup-1.zip", photos: 3, parts: 2, filesize: 100 });
  await remote.projectInfo("vase & cup-1.zip");
  await remote.resetProject("vase & cup-1.zip");
  expect(cloud.requests.map(({ url, status }) => [url.replace(cloud.token, "T"), status])).toEqual([
    ["/status", 200],
    ["/getTokenInfo?token=T", 200],
    ["/getQueueEstimate?token=T", 200],
    ["/createProject?token=T&project=vase+%26+cup-1.zip&photos=3&parts=2&filesize=100", 200],
    ["/getProjectInfo?token=T&project=vase+%26+cup-1.zip", 200],
    ["/resetProject?token=T&project=vase+%26+cup-1.zip", 200],
  ]);
});

test("a host with a path and without a slash at its end is called below that path", async () => {
  const { cloud, remote } = await createRemote();
  const below = new RemoteCloud(CloudSettings.parse(cloud.settings({})), systemClock);
  await below.status();
  const deeper = new RemoteCloud(
    { ...CloudSettings.parse(cloud.settings()), host: `${cloud.url}/api` },
    systemClock,
  );
  await expect(deeper.status()).rejects.toMatchObject({ status: 403 });
  expect(cloud.requests.map(({ url }) => url)).toEqual(["/status", "/api/status"]);
  await remote.status();
});

test("defect 35: what the cloud repeats of token and password is masked in answers and errors", async () => {
  const { cloud, remote } = await createRemote();
  expect(await remote.tokenInfo()).toMatchObject({ credit: 5e9, token: "***0815" });
  const wrong = new RemoteCloud(
    { ...CloudSettings.parse(cloud.settings()), token: "another-token-99" },
    systemClock,
  );
  await expect(wrong.tokenInfo()).rejects.toMatchObject({
    code: "bad_gateway",
    message: "the cloud refused getTokenInfo: 403 no such token=***n-99",
    isTransient: false,
    status: 403,
  });
  cloud.fail = () => ({ status: 500, body: `trace of ${cloud.token} and ${cloud.password}` });
  await expect(remote.status()).rejects.toMatchObject({
    message: "the cloud refused status: 500 trace of ***0815 and ***4711",
    isTransient: true,
  });
});

test.each<[string, CloudFailure, string, boolean]>([
  ["401", { status: 401 }, "the cloud refused status: 401", false],
  ["a page", { status: 503, body: "<html>proxy</html>" }, "the cloud refused status: 503", true],
  ["a reason", { status: 429, body: '{"error":"slow"}' }, "the cloud refused status: 429 slow", true],
  ["a word", { status: 200, body: "hello" }, "the cloud's answer to status is not a JSON object", false],
  ["a list", { status: 200, body: "[1]" }, "the cloud's answer to status is not a JSON object", false],
  ["a flood", { status: 200, body: "x".repeat(2 ** 20 + 1) }, "longer than 1048576 bytes", true],
  ["a reset", { reset: true }, "got no answer of the cloud at http://127.0.0.1", true],
])("an answer of %s becomes a clear error", async (_, failure, message, isTransient) => {
  const { cloud, remote } = await createRemote();
  cloud.fail = () => failure;
  const error: unknown = await remote.status().catch((error: unknown) => error);
  expect(error).toMatchObject({ code: "bad_gateway", isTransient });
  expect((error as Error).message).toContain(message);
});

test("nobody listening is said as such", async () => {
  const { cloud, remote } = await createRemote();
  await cloud.stop();
  await expect(remote.status()).rejects.toThrow(/got no answer of the cloud at http:.*ECONNREFUSED/);
});

test("a cloud that hangs is given up after 60 s, and at once when nobody waits any more", async () => {
  const clock = new FakeClock();
  const { cloud, remote } = await createRemote({}, clock);
  const arrived = new Promise<void>((resolve) => {
    cloud.fail = () => {
      resolve();
      return { hang: true };
    };
  });
  const asked = expect(remote.status()).rejects.toThrow("it did not answer within 60 s");
  await arrived;
  await clock.advance(59_999);
  expect(clock.pending).toBe(1);
  await clock.advance(1);
  await asked;
  const abort = new AbortController();
  const aborted = expect(remote.status({ signal: abort.signal })).rejects.toThrow("no longer needed");
  abort.abort(new Error("no longer needed"));
  await aborted;
  expect(clock.pending).toBe(0);
});

test("redirects on the same host are followed, others get no credentials", async () => {
  const { cloud, remote } = await createRemote();
  const foreign = await FakeCloud.start();
  cloud.fail = ({ url }) =>
    url === "/status" ? { status: 307, headers: { Location: "/status?moved" } } : undefined;
  expect(await remote.status()).toMatchObject({ status: "online" });
  cloud.fail = ({ url }) => ({ status: 302, headers: { Location: `${foreign.url}${url}` } });
  await expect(remote.tokenInfo()).rejects.toThrow(
    `redirects getTokenInfo to ${foreign.url}, which does not get the account`,
  );
  expect(foreign.requests).toEqual([]);
  cloud.fail = () => ({ status: 302, headers: { Location: "/status" } });
  await expect(remote.status()).rejects.toThrow("redirects status too often");
  cloud.fail = () => ({ status: 302, headers: { Location: "http://" } });
  await expect(remote.status()).rejects.toThrow("an invalid address");
});
