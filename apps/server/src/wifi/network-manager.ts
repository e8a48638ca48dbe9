import { ScanError } from "@openscan/protocol";
import type { Clock, Logger } from "@openscan/runtime";
import type { Network } from "./network.js";
import { type ProgramEnd, runProgram } from "./run-program.js";
import type { WifiNetwork } from "./wifi-code.js";

const ASK_LIMIT_MS = 10_000;
/** Given to NetworkManager for scan, association and address; it needs a little longer to say that it gave up. */
const ACTIVATION_S = 45;
/** A scan may wait for this clean-up. */
const REMOVAL_LIMIT_MS = 3000;

/** Exit codes of `nmcli`. */
const NOT_RUNNING = 8;

const SECURITY = "802-11-wireless-security";

/**
 * NetworkManager, by its command `nmcli`. Every user of a machine can read command lines: a password is handed over as
 * the `passwd-file` that `nmcli` reads for the activation, and NetworkManager stores it.
 */
export class NetworkManager implements Network {
  readonly #env: NodeJS.ProcessEnv;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor({ env, clock, log }: { env: NodeJS.ProcessEnv; clock: Clock; log: Logger }) {
    // Its words are read here, and names of networks have any characters.
    this.#env = { ...env, LC_ALL: "C.UTF-8" };
    this.#clock = clock;
    this.#log = log;
  }

  async isUp(signal?: AbortSignal): Promise<boolean> {
    const { stdout } = await this.#ask(["--terse", "--fields", "STATE", "general"], signal);
    // `(local only)`: an address of our own, nobody to talk to.
    return /^connected(?: \(site only\))?$/.test(stdout.trim());
  }

  async join(network: WifiNetwork, signal?: AbortSignal): Promise<string> {
    const earlier = await this.#profilesNamed(network.ssid, signal);
    const uuid = await this.#add(network, signal);
    try {
      const said = await this.#activate(uuid, network, signal);
      await this.#ask(["connection", "modify", "uuid", uuid, "connection.autoconnect", "yes"], signal);
      for (const old of earlier) await this.#remove(old);
      return said;
    } catch (error) {
      await this.#remove(uuid);
      throw error;
    }
  }

  async #profilesNamed(name: string, signal: AbortSignal | undefined): Promise<string[]> {
    const { stdout } = await this.#ask(
      ["--terse", "--fields", "UUID,TYPE,NAME", "connection", "show"],
      signal,
    );
    return stdout.split("\n").flatMap((line) => {
      const [uuid, type, ...rest] = line.split(":");
      const isOurs = type === "802-11-wireless" && rest.join(":").replaceAll(/\\(.)/g, "$1") === name;
      return isOurs && uuid ? [uuid] : [];
    });
  }

  /** A profile without its password, which does not connect by itself yet. */
  async #add({ ssid, security, hidden }: WifiNetwork, signal: AbortSignal | undefined): Promise<string> {
    const { stdout } = await this.#ask(
      [
        ...["connection", "add", "type", "wifi", "ifname", "*", "con-name", ssid, "ssid", ssid],
        ...["connection.autoconnect", "no", "802-11-wireless.hidden", hidden ? "yes" : "no"],
        ...securityProperties(security),
      ],
      signal,
    );
    const uuid = [...stdout.matchAll(/\(([\da-f]{8}-[\da-f-]{27})\)/g)].at(-1)?.[1];
    if (!uuid)
      throw new ScanError("internal", `nmcli did not say which profile it has added: ${stdout.trim()}`);
    return uuid;
  }

  async #activate(uuid: string, network: WifiNetwork, signal: AbortSignal | undefined): Promise<string> {
    const { ssid, security, password } = network;
    const secret = security === "WEP" ? "wep-key0" : "psk";
    const needed = security !== "nopass";
    const conceal = (text: string) =>
      needed ? text.replaceAll(password, "***").replaceAll(escaped(password), "***") : text;
    const { code, stdout, stderr } = await this.#run(
      [
        ...["--wait", String(ACTIVATION_S), "connection", "up", "uuid", uuid],
        ...(needed ? ["passwd-file", "/dev/stdin"] : []),
      ],
      {
        limitMs: (ACTIVATION_S + 15) * 1000,
        signal,
        ...(needed && { input: `${SECURITY}.${secret}:${escaped(password)}\n` }),
      },
    );
    const ended = { code, stdout: conceal(stdout), stderr: conceal(stderr) };
    if (code !== 0) throw new ScanError("offline", `Wi-Fi network "${ssid}": ${sayingOf(ended)}`);
    return ended.stdout.trim();
  }

  async #remove(uuid: string): Promise<void> {
    try {
      await this.#run(["connection", "delete", "uuid", uuid], { limitMs: REMOVAL_LIMIT_MS });
    } catch (err) {
      this.#log.warn({ err, uuid }, "a Wi-Fi profile was not removed");
    }
  }

  async #ask(args: string[], signal: AbortSignal | undefined): Promise<ProgramEnd> {
    const ended = await this.#run(args, { limitMs: ASK_LIMIT_MS, signal });
    if (ended.code === 0) return ended;
    const code = ended.code === NOT_RUNNING ? "unsupported" : "offline";
    throw new ScanError(code, `nmcli: ${sayingOf(ended)}`);
  }

  async #run(
    args: string[],
    rest: { limitMs: number; input?: string; signal?: AbortSignal | undefined },
  ): Promise<ProgramEnd> {
    return runProgram("nmcli", { args, env: this.#env, clock: this.#clock, ...rest });
  }
}

function securityProperties(security: WifiNetwork["security"]): string[] {
  switch (security) {
    case "nopass":
      return [];
    case "WEP":
      return [`${SECURITY}.key-mgmt`, "none", `${SECURITY}.wep-key-type`, "key"];
    default:
      return [`${SECURITY}.key-mgmt`, security === "SAE" ? "sae" : "wpa-psk"];
  }
}

/** Backslashes escape there, and spaces around a value are dropped. */
function escaped(secret: string): string {
  return secret
    .replaceAll("\\", "\\\\")
    .replaceAll(/^ +| +$/g, (spaces) => String.raw`\040`.repeat(spaces.length));
}

function sayingOf({ code, stdout, stderr }: ProgramEnd): string {
  const said = (stderr.trim() || stdout.trim()).split("\n").slice(-2).join(" ").slice(0, 300);
  return said || `nmcli ended with code ${code}`;
}
