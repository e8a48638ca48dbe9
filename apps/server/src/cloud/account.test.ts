import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CloudSettings } from "@openscan/protocol";
import { recordingLogger } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { temporaryFolder } from "../tasks/testing.js";
import { CloudAccount, maskingOf } from "./account.js";

const token = "a-token-of-somebody-1234";
const given = (change: Partial<CloudSettings> = {}) => CloudSettings.parse({ token, ...change });

async function createAccount(environmentToken?: string) {
  const directory = join(await temporaryFolder(), "firmware");
  const log = recordingLogger();
  const open = async () => {
    const account = new CloudAccount({ directory, environmentToken, log });
    await account.load();
    return account;
  };
  return { directory, file: join(directory, "cloud.json"), log, open, account: await open() };
}

test("without a file and a variable nothing is configured", async () => {
  const { account } = await createAccount();
  expect(account.shown()).toEqual({ settings: null, source: null, persisted: false });
  expect(() => account.require()).toThrow(expect.objectContaining({ code: "bad_request" }));
});

test("what is stored is used at once and after the next start; secrets are shown as their masks", async () => {
  const { account, open } = await createAccount();
  const shown = {
    settings: {
      user: "***scan",
      password: "***",
      token: "***1234",
      host: "http://openscanfeedback.dnsuser.de:1334/",
      split_size: 200_000_000,
    },
    source: "persistent",
    persisted: true,
  };
  expect(await account.replace(given())).toEqual(shown);
  expect(account.settings).toMatchObject({ user: "openscan", password: "free", token });
  const next = await open();
  expect(next.shown()).toEqual(shown);
  expect(next.settings).toEqual(account.settings);
  expect(next.require("another")).toEqual({ ...account.settings, token: "another" });
});

test("D26: nobody but the owner may read the file, also one of the older backend", async () => {
  const { account, file, open, directory } = await createAccount();
  await account.replace(given());
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await chmod(file, 0o644);
  expect((await open()).settings?.token).toBe(token);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(directory)).toEqual(["cloud.json"]);
});

test("S6: user, password and token that come back as their masks stay what they are", async () => {
  const { account, open } = await createAccount();
  await account.replace(given({ user: "somebody", password: "secret-word" }));
  await account.replace(given({ user: "***body", password: "***word", token: "***1234", split_size: 5 }));
  const kept = { user: "somebody", password: "secret-word", token, split_size: 5 };
  expect((await open()).settings).toMatchObject(kept);
  await account.replace(given({ user: "", password: "new", token: "***1234" }));
  await account.replace(given({ user: "(empty)", password: "***", token: "***1234" }));
  expect((await open()).settings).toMatchObject({ user: "", password: "new", token });
});

test("S6: the mask of a token of the environment stores that", async () => {
  const { account, open } = await createAccount(token);
  expect(account.shown()).toMatchObject({ source: "environment", persisted: false });
  await account.replace(given({ token: "***1234" }));
  expect((await open()).shown()).toMatchObject({ source: "persistent", persisted: true });
  expect((await open()).settings?.token).toBe(token);
});

test("the mask of something else is never stored as a token", async () => {
  const { account } = await createAccount();
  await expect(account.replace(given({ token: "***9999" }))).rejects.toMatchObject({ code: "invalid" });
  await account.replace(given());
  await expect(account.replace(given({ token: "***9999" }))).rejects.toThrow("token ***9999");
  expect(account.settings?.token).toBe(token);
});

test("removed settings are gone, those of the environment until the next start", async () => {
  const { account, open, directory } = await createAccount("from-the-environment");
  await account.replace(given());
  expect(await account.remove()).toEqual({ settings: null, source: null, persisted: false });
  expect(await readdir(directory)).toEqual([]);
  expect(await account.remove()).toMatchObject({ persisted: false });
  expect((await open()).shown()).toMatchObject({ source: "environment" });
});

test.each([
  ['{ "token": "a-token-of-somebody-1234", half'],
  ["[]"],
  ['{"token":5}'],
  ['{"host":"ftp://x","token":"a-token-of-somebody-1234"}'],
])("a file with %s is kept, reported without its content, and nothing is configured", async (content) => {
  const { directory, file, log, open } = await createAccount();
  await mkdir(directory, { recursive: true });
  await writeFile(file, content);
  expect((await open()).shown()).toEqual({ settings: null, source: null, persisted: true });
  expect(await readFile(file, "utf8")).toBe(content);
  expect(log.lines).toHaveLength(1);
  expect(JSON.stringify(log.lines)).not.toContain(token);
});

test("a disk that refuses changes nothing", async () => {
  const { account, directory } = await createAccount();
  await writeFile(directory, "a file where the folder belongs");
  await expect(account.replace(given())).rejects.toMatchObject({ code: "storage" });
  expect(account.settings).toBeUndefined();
});

test("the password that everybody has is a word like any other", () => {
  const secrets = CloudSettings.parse({ token });
  expect(maskingOf(secrets).text(`free space, ${token}`)).toBe("free space, ***1234");
  expect(maskingOf({ ...secrets, password: "hush-hush" }).text("hush-hush")).toBe("***hush");
});
