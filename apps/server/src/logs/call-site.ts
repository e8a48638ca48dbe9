/** Deep enough to see past pino. */
const DEPTH = 12;

/** `at Object.initialize (file:///…/compose.js:173:9)`, `at async file:///…/main.js:80:3` */
const frame = /^\s*at (?:async )?(?:(?<name>[^(]+) \()?(?<path>.+?):(?<line>\d+):\d+\)?$/;

const ofLogging = /\/node_modules\/|\/logging\.[jt]s|\/logs\/call-site\.[jt]s|^node:/;

/** Which code wrote a line, under the names that readers of the detailed log know. */
export function callSite(): { name: string; module: string; funcName: string; lineno: number } {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = DEPTH;
  const { stack = "" } = new Error("for its stack");
  Error.stackTraceLimit = stackTraceLimit;
  for (const text of stack.split("\n").slice(1)) {
    const { name, path = "", line } = frame.exec(text)?.groups ?? {};
    if (path === "" || ofLogging.test(path)) continue;
    return {
      name: "openscan",
      module: path.slice(path.lastIndexOf("/") + 1).replace(/\.\w+$/, ""),
      funcName:
        name
          ?.split(".")
          .at(-1)
          ?.replace(/ \[as .*/, "") ?? "<anonymous>",
      lineno: Number(line),
    };
  }
  return { name: "openscan", module: "", funcName: "", lineno: 0 };
}
