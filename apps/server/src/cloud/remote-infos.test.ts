import { CloudSettings } from "@openscan/protocol";
import { FakeClock } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { FakeCloud } from "../../test/support/cloud.js";
import { RemoteInfos } from "./remote-infos.js";

async function createInfos(names: readonly string[] = ["a.zip"]) {
  const cloud = await FakeCloud.start();
  for (const name of names) cloud.finish(name, Buffer.from("model"));
  const clock = new FakeClock();
  const settings = CloudSettings.parse(cloud.settings());
  const infos = new RemoteInfos(clock);
  const get = (name: string, patienceMs = 3000, account: CloudSettings | undefined = settings) =>
    infos.get(name, account, clock.monotonic() + patienceMs);
  return { cloud, clock, settings, infos, get };
}

const asked = (cloud: FakeCloud) => cloud.of("getProjectInfo").length;

test("what was said is fresh for 5 s, a failure for 15 s", async () => {
  const { cloud, clock, get } = await createInfos();
  expect(await get("a.zip")).toMatchObject({ info: { status: "done" }, message: null });
  await clock.advance(4999);
  await get("a.zip");
  expect(asked(cloud)).toBe(1);
  await clock.advance(1);
  cloud.fail = () => ({ status: 500 });
  const failed = { info: null, message: "the cloud refused getProjectInfo: 500" };
  expect(await get("a.zip")).toEqual(failed);
  expect(asked(cloud)).toBe(2);
  cloud.fail = () => undefined;
  await clock.advance(14_999);
  expect(await get("a.zip")).toEqual(failed);
  await clock.advance(1);
  expect(await get("a.zip")).toMatchObject({ message: null });
  expect(asked(cloud)).toBe(3);
});

test("who asks at the same time shares one answer; another account and a reset ask anew", async () => {
  const { cloud, settings, infos, get } = await createInfos();
  await Promise.all([get("a.zip"), get("a.zip"), get("a.zip")]);
  expect(asked(cloud)).toBe(1);
  await get("a.zip", 3000, { ...settings });
  expect(asked(cloud)).toBe(2);
  infos.forget();
  await get("a.zip", 3000, { ...settings });
  expect(asked(cloud)).toBe(3);
});

test("six are asked for at once, the others wait; nobody waits longer than the deadline", async () => {
  const names = Array.from({ length: 20 }, (_, index) => `${index}.zip`);
  const { cloud, clock, get } = await createInfos(names);
  const arrived = new Promise<void>((resolve) => {
    cloud.fail = () => {
      if (asked(cloud) === 6) resolve();
      return { hang: true };
    };
  });
  const answers = Promise.all(names.map((name) => get(name)));
  await arrived;
  await clock.advance(3000);
  const messages = (await answers).map(({ message }) => message);
  expect(messages.filter((message) => message?.includes("did not answer within 3 s"))).toHaveLength(6);
  expect(messages.filter((message) => message === "the cloud did not answer in time")).toHaveLength(14);
  expect(asked(cloud)).toBe(6);
  expect(clock.pending).toBe(0);
});

test("without settings there is no cloud to ask", async () => {
  const { cloud, infos } = await createInfos();
  expect(await infos.get("a.zip", undefined, 3000)).toEqual({
    info: null,
    message: "the cloud is not configured",
  });
  expect(cloud.requests).toEqual([]);
});
