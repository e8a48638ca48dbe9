import { namespaces, ScanError } from "@openscan/protocol";
import { Channel } from "./channel.js";
import { Connection } from "./connection.js";
const goingAway = 1001;
const restart = 1012;
const tryAgainLater = 1013;
const retryAfterMs = 10_000;
const maxReasonBytes = 123; // RFC 6455, section 5.5: a control frame carries 125 bytes, two of them the code
const defaultLimits = { connections: 256, pendingBytes: 1024 * 1024 };
const namespaceNames = Object.keys(namespaces);
/** Sends the events of each namespace to its subscribers, in order, and never waits for one of them. */
export class Hub {
  #clock;
  #log;
  #limits;
  #channels;
  #closedSlow = 0;
  #closed;
  constructor({ clock, log, limits }) {
    this.#clock = clock;
    this.#log = log;
    this.#limits = { ...defaultLimits, ...limits };
    this.#channels = new Map(
      namespaceNames.map((name) => [name, new Channel(log.child({ namespace: name }))]),
    );
  }
  /**
   * Lets an open socket receive the events published from now on. When the hub is full, the connection that
   * has been longest without inbound text makes room; when the hub is closed, the socket is closed with 1001.
   *
   * @returns a function to call when the socket has closed
   */
  accept(namespace, socket) {
    const channel = this.#channel(namespace);
    const connection = new Connection(socket, {
      clock: this.#clock,
      log: this.#log.child({ namespace }),
      maxPendingBytes: this.#limits.pendingBytes,
      onTooSlow: () => this.#closedSlow++,
    });
    if (this.#closed) {
      connection.close(goingAway);
      return () => connection.closed();
    }
    this.#makeRoom();
    channel.flush(); // what was published earlier in this turn is not for the newcomer
    channel.connections.add(connection);
    void connection.gone.then(() => channel.connections.delete(connection));
    return () => connection.closed();
  }
  /** Sends `event`, as it is at this moment, to the subscribers of `namespace`. */
  publish(namespace, event) {
    this.#channel(namespace).publish(event);
  }
  /**
   * Closes every connection after what was published so far, and accepts no more.
   *
   * @param code close code for the clients: 1001 going away, 1012 restart
   * @param reason at most 123 bytes; JSON with `retry_after_ms` for 1012
   * @returns settles when all handshakes are done; a client that does not answer within a second is cut off
   * @throws ScanError `invalid` when the reason does not fit into a close frame
   */
  async close(code = goingAway, reason = "") {
    const size = Buffer.byteLength(reason);
    if (size > maxReasonBytes) {
      throw new ScanError("invalid", `close reason has ${size} bytes, at most ${maxReasonBytes} fit`);
    }
    this.#closed ??= this.#closeAll(code, reason);
    await this.#closed;
  }
  stats() {
    const open = (name) =>
      [...this.#channel(name).connections].filter((connection) => connection.open).length;
    return {
      connections: Object.fromEntries(namespaceNames.map((name) => [name, open(name)])),
      queuedBytes: this.#connections().reduce((sum, { pendingBytes }) => sum + pendingBytes, 0),
      closedSlow: this.#closedSlow,
    };
  }
  async #closeAll(code, reason) {
    for (const channel of this.#channels.values()) channel.flush();
    const connections = this.#connections();
    for (const connection of connections) connection.close(code, reason);
    await Promise.all(connections.map(({ gone }) => gone));
  }
  #makeRoom() {
    const open = this.#connections().filter((connection) => connection.open);
    if (open.length < this.#limits.connections) return;
    const quietest = open.reduce((a, b) => (b.lastTextAt < a.lastTextAt ? b : a));
    this.#log.warn({ connections: open.length }, "the hub is full; closed the quietest connection");
    quietest.close(tryAgainLater, JSON.stringify({ retry_after_ms: retryAfterMs }));
  }
  /** All that have not gone yet, the closing ones included. */
  #connections() {
    return [...this.#channels.values()].flatMap((channel) => [...channel.connections]);
  }
  #channel(name) {
    const channel = this.#channels.get(name);
    if (!channel) throw new ScanError("internal", `there is no namespace ${name}`);
    return channel;
  }
}
//# sourceMappingURL=hub.js.map
