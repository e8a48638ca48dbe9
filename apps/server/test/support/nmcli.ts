import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { onTestFinished } from "vitest";

/** One call of the stand-in: its arguments, and what it read from the `passwd-file` that they name. */
interface NmcliCall {
  readonly args: string[];
  readonly secrets: string | null;
}

export interface FakeNmcli {
  /** With the stand-in first on its path. */
  readonly env: NodeJS.ProcessEnv;
  calls(): Promise<NmcliCall[]>;
  /**
   * What a command does from now on: the key is the start of its arguments, e.g. `connection up`. The value is a
   * script of the shell, e.g. `echo "Error: no" >&2; exit 4`.
   */
  answer(answers: Readonly<Record<string, string>>): Promise<void>;
}

/** What NetworkManager 1.42 answers when all is well and there is no network. */
const usual = {
  "--terse --fields STATE general": "echo disconnected",
  "--terse --fields UUID,TYPE,NAME connection show": "",
  "connection add": "echo \"Connection 'home' (814edfaa-96dd-444b-a37a-cfffadfe719a) successfully added.\"",
  "--wait 45 connection up":
    'echo "Connection successfully activated (D-Bus active path: /org/freedesktop/NetworkManager/ActiveConnection/7)"',
  "connection modify": "",
  "connection delete": "",
};

/** An executable `nmcli` that notes its arguments and its standard input, and answers as it is told. */
export async function installNmcli(answers: Readonly<Record<string, string>> = {}): Promise<FakeNmcli> {
  const folder = await mkdtemp(join(tmpdir(), "fake-nmcli-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const log = join(folder, "calls");
  const answer = async (changes: Readonly<Record<string, string>>) => {
    const cases = Object.entries({ ...usual, ...changes }).map(
      ([start, script]) => `'${start}'*) ${script || ":"} ;;`,
    );
    // The calls are noted in a language that copes with any character.
    const script = `#!/bin/sh
[ "$LC_ALL" = C.UTF-8 ] || exit 99
${process.execPath} -e '
  const args = process.argv.slice(1);
  const fs = require("node:fs");
  const file = args[args.indexOf("passwd-file") + 1];
  const secrets = args.includes("passwd-file") ? fs.readFileSync(file, "utf8") : null;
  fs.appendFileSync(process.env.FAKE_NMCLI_LOG, JSON.stringify({ args, secrets }) + "\\n");
' -- "$@"
case "$*" in
${cases.join("\n")}
*) echo "Error: unexpected $*" >&2; exit 2 ;;
esac
`;
    await writeFile(join(folder, "nmcli"), script);
    await chmod(join(folder, "nmcli"), 0o755);
  };
  await answer(answers);
  return {
    env: { ...process.env, PATH: `${folder}${delimiter}${process.env["PATH"]}`, FAKE_NMCLI_LOG: log },
    answer,
    async calls() {
      const text = await readFile(log, "utf8").catch(() => "");
      return text
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as NmcliCall);
    },
  };
}
