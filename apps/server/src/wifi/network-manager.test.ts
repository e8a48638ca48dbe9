import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { ScanError } from "@openscan/protocol";
import { systemClock } from "@openscan/runtime";
import { FakeClock, recordingLogger } from "@openscan/runtime/testing";
import { expect, test } from "vitest";
import { type FakeNmcli, installNmcli } from "../../test/support/nmcli.js";
import { NetworkManager } from "./network-manager.js";
import type { WifiNetwork } from "./wifi-code.js";

const uuid = "814edfaa-96dd-444b-a37a-cfffadfe719a";
const home: WifiNetwork = {
  ssid: "home",
  security: "WPA",
  password: String.raw` pa:ss=w\rd `,
  hidden: false,
};

async function create(answers: Record<string, string> = {}) {
  const nmcli = await installNmcli(answers);
  const log = recordingLogger();
  return { nmcli, log, network: new NetworkManager({ env: nmcli.env, clock: systemClock, log }) };
}

test.each([
  ["connected", true],
  ["connected (site only)", true],
  ["connected (local only)", false],
  ["connecting", false],
  ["disconnected", false],
  ["asleep", false],
])("a machine that is %s has a network: %s", async (state, expected) => {
  const { network } = await create({ "--terse --fields STATE general": `echo '${state}'` });
  expect(await network.isUp()).toBe(expected);
});

test("defect 35: a network is joined without its password on any command line; its earlier profile goes", async () => {
  const { network, nmcli, log } = await create({
    "--terse --fields UUID,TYPE,NAME connection show": `printf '%s\\n' '11111111-96dd-444b-a37a-cfffadfe719a:802-11-wireless:home' '22222222-96dd-444b-a37a-cfffadfe719a:802-3-ethernet:home' '33333333-96dd-444b-a37a-cfffadfe719a:802-11-wireless:home\\: two'`,
  });
  expect(await network.join(home)).toMatch(/^Connection successfully activated/);
  const calls = await nmcli.calls();
  expect(calls.map(({ args }) => args.join(" "))).toEqual([
    "--terse --fields UUID,TYPE,NAME connection show",
    "connection add type wifi ifname * con-name home ssid home connection.autoconnect no 802-11-wireless.hidden no 802-11-wireless-security.key-mgmt wpa-psk",
    `--wait 45 connection up uuid ${uuid} passwd-file /dev/stdin`,
    `connection modify uuid ${uuid} connection.autoconnect yes`,
    "connection delete uuid 11111111-96dd-444b-a37a-cfffadfe719a",
  ]);
  // Backslashes are doubled, spaces around it kept, as the file's format asks for.
  expect(calls.flatMap(({ secrets }) => secrets ?? [])).toEqual([
    `802-11-wireless-security.psk:${String.raw`\040pa:ss=w\\rd\040`}\n`,
  ]);
  expect(JSON.stringify(calls.map(({ args }) => args))).not.toContain("pa:ss");
  expect(JSON.stringify(log.lines)).not.toContain("pa:ss");
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith("openscan-") && name.length === 45)).toEqual(
    [],
  );
});

test.each<[string, Partial<WifiNetwork>, string, string | null]>([
  ["open", { security: "nopass", password: "" }, "802-11-wireless.hidden no", null],
  [
    "hidden",
    { hidden: true },
    "802-11-wireless.hidden yes 802-11-wireless-security.key-mgmt wpa-psk",
    String.raw`802-11-wireless-security.psk:\040pa:ss=w\\rd\040`,
  ],
  [
    "WPA3",
    { security: "SAE", password: "größer" },
    "802-11-wireless.hidden no 802-11-wireless-security.key-mgmt sae",
    "802-11-wireless-security.psk:größer",
  ],
  [
    "WEP",
    { security: "WEP", password: "abcde" },
    "802-11-wireless.hidden no 802-11-wireless-security.key-mgmt none 802-11-wireless-security.wep-key-type key",
    "802-11-wireless-security.wep-key0:abcde",
  ],
])("a network that is %s is joined as such", async (_, changes, added, secrets) => {
  const { network, nmcli } = await create();
  await network.join({ ...home, ...changes });
  const calls = await nmcli.calls();
  expect(calls[1]?.args.join(" ").endsWith(added)).toBe(true);
  expect(calls[2]?.secrets?.trimEnd() ?? null).toBe(secrets);
});

test.each(["Café: 東京", "-dash", "$(reboot)", "; reboot", "a'b\"c"])(
  "a network may be called %j",
  async (ssid) => {
    const { network, nmcli } = await create();
    await network.join({ ...home, ssid });
    expect((await nmcli.calls())[1]?.args.slice(6, 10)).toEqual(["con-name", ssid, "ssid", ssid]);
  },
);

test("a network that cannot be joined is said why, without its password, and leaves no profile; the earlier one stays", async () => {
  const { network, nmcli } = await create({
    "--terse --fields UUID,TYPE,NAME connection show":
      "echo 11111111-96dd-444b-a37a-cfffadfe719a:802-11-wireless:home",
    "--wait 45 connection up": String.raw`printf '%s\n' 'Warning: password for it is  pa:ss=w\rd  or \040pa:ss=w\\rd\040.' >&2; echo 'Error: Connection activation failed: Secrets were required, but not provided.' >&2; exit 4`,
  });
  const failure = await network.join(home).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ScanError);
  expect(failure).toMatchObject({
    message:
      'Wi-Fi network "home": Warning: password for it is *** or ***. Error: Connection activation failed: Secrets were required, but not provided.',
  });
  expect((await nmcli.calls()).at(-1)?.args).toEqual(["connection", "delete", "uuid", uuid]);
});

test("without nmcli, without NetworkManager and without the right to use it, it is said so", async () => {
  const { network, nmcli, log } = await create({
    "--terse --fields STATE general": 'echo "Error: NetworkManager is not running." >&2; exit 8',
    "connection add": "echo \"Error: Failed to add 'home' connection: Insufficient privileges\" >&2; exit 1",
  });
  const none = new NetworkManager({ env: { ...nmcli.env, PATH: "/nonexistent" }, clock: systemClock, log });
  await expect(none.isUp()).rejects.toMatchObject({
    code: "unsupported",
    message: "nmcli cannot be run: it is not installed",
  });
  await expect(network.isUp()).rejects.toMatchObject({
    code: "unsupported",
    message: expect.stringContaining("NetworkManager is not running") as string,
  });
  await expect(network.join(home)).rejects.toThrow("Insufficient privileges");
  expect(await nmcli.calls()).toHaveLength(3);
});

test("an abort ends nmcli before it rejects, and removes the profile", async () => {
  const { network, nmcli } = await create({
    "--wait 45 connection up":
      'trap "echo ended > $FAKE_NMCLI_LOG.ended; exit 1" TERM; : > $FAKE_NMCLI_LOG.ready; while :; do sleep 0.02; done',
  });
  const abort = new AbortController();
  const joining = network.join(home, abort.signal);
  const outcome = expect(joining).rejects.toThrow("enough");
  await marked(nmcli, "ready");
  abort.abort(new Error("enough"));
  await outcome;
  await marked(nmcli, "ended");
  expect((await nmcli.calls()).at(-1)?.args).toEqual(["connection", "delete", "uuid", uuid]);
});

test("an nmcli that hangs is ended when its time is over, and killed when it does not listen", async () => {
  const nmcli = await installNmcli({
    "--terse --fields STATE general": 'trap "" TERM; : > $FAKE_NMCLI_LOG.ready; exec sleep 100',
  });
  const clock = new FakeClock();
  const network = new NetworkManager({ env: nmcli.env, clock, log: recordingLogger() });
  const outcome = expect(network.isUp()).rejects.toMatchObject({ code: "timeout" });
  await marked(nmcli, "ready");
  await clock.advance(10_000);
  await clock.advance(1000);
  await outcome;
});

/** Resolves when the stand-in has made this mark. */
async function marked({ env }: FakeNmcli, mark: string): Promise<void> {
  await expect.poll(() => existsSync(`${env["FAKE_NMCLI_LOG"]}.${mark}`), { timeout: 10_000 }).toBe(true);
}
