import { fork } from "node:child_process";
import { soon } from "./soon.mjs";

/** All subscribers, in a process of their own; `clients/main.mjs` tells what it understands. */
export class SubscribersProcess {
  #child = fork(new URL("clients/main.mjs", import.meta.url), { serialization: "advanced" });
  #waiting = new Map();
  #listeners = new Map();
  #lastId = 0;
  #fail;
  /** Rejects when a delivery was wrong, or a client was closed. */
  failure = new Promise((_, reject) => {
    this.#fail = reject;
  });

  constructor() {
    this.failure.catch(() => {}); // whoever waits for something sees it
    this.#child.on("exit", (code) => this.#fail(new Error(`the subscribers ended with ${code}`)));
    this.#child.on("message", ({ id, reply, server, got, failed }) => {
      if (failed !== undefined) this.#fail(new Error(server ? `${server}: ${failed}` : failed));
      else if (got !== undefined) this.#listeners.get(server)?.(got);
      else {
        this.#waiting.get(id)(reply);
        this.#waiting.delete(id);
      }
    });
  }

  ask(order, details) {
    const id = ++this.#lastId;
    const reply = new Promise((resolve) => this.#waiting.set(id, resolve));
    this.#child.send({ id, order, ...details });
    return soon(Promise.race([reply, this.failure]), `${order} for ${details.server}`);
  }

  /** `listen` hears how many events of its run all clients of a server have got. */
  onGot(server, listen) {
    this.#listeners.set(server, listen);
  }

  stop() {
    this.#child.disconnect();
  }
}
