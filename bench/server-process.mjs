import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";

/** A server under measurement, in a process of its own; `servers/orders.mjs` tells what it understands. */
export class ServerProcess {
  port;
  #child;
  #listeners = new Set();
  #ended;

  /** @param {[string, ...string[]]} command */
  static async start([program, ...args]) {
    const server = new ServerProcess(program, args);
    ({ port: server.port } = await server.next("port"));
    return server;
  }

  constructor(program, args) {
    this.#child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdin.on("error", () => {}); // the exit tells more
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      const message = JSON.parse(line);
      for (const listen of this.#listeners) listen(message);
    });
    this.#ended = new Promise((_, reject) => {
      this.#child.on("error", reject);
      this.#child.on("exit", (code, signal) => {
        reject(new Error(`${program} ${args.join(" ")} ended with ${code ?? signal}`));
      });
    });
    this.#ended.catch(() => {}); // whoever waits for an answer sees it
  }

  order(...words) {
    this.#child.stdin.write(`${words.join(" ")}\n`);
  }

  /** @returns undoes it */
  onMessage(listen) {
    this.#listeners.add(listen);
    return () => this.#listeners.delete(listen);
  }

  /** The next message that has `key`. */
  next(key) {
    const message = new Promise((resolve) => {
      const forget = this.onMessage((message) => {
        if (message[key] === undefined) return;
        forget();
        resolve(message);
      });
    });
    return Promise.race([message, this.#ended]);
  }

  /** Resident memory in bytes, without what Node's next garbage collection would free anyway. */
  async residentBytes() {
    const collected = this.next("collected");
    this.order("collect");
    await collected;
    const { stdout } = spawnSync("ps", ["-o", "rss=", "-p", String(this.#child.pid)], { encoding: "utf8" });
    return 1024 * Number(stdout);
  }

  stop() {
    this.#child.stdin.end();
  }
}
