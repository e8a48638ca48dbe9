/** Frames of so many events are remembered. */
const remembered = 1000;

/** One stream as a healthy v1 viewer sees it. */
export class WatchedStream {
  /** `seq` of the event that came last. */
  last = -1;
  /** Events that were merged away or replaced by a snapshot, because the viewer was too slow. */
  missed = 0;
  /** What must never be lost: how tasks began and ended, and photos. */
  facts = [];
  #known;

  /** @param known frames by the `seq` before them, shared by all viewers: those in step get the same bytes */
  constructor(known) {
    this.#known = known;
  }

  /** @throws when an event is missing and the stream does not say so */
  read(text) {
    let message = this.#known.get(this.last);
    if (!message?.text.equals(text)) message = this.#parse(text);
    const { seq, prev, fact } = message;
    if (seq === undefined) return;
    if (prev !== null && prev !== this.last)
      throw new Error(`${seq} follows ${prev}, but ${this.last} came before`);
    if (this.last >= 0) this.missed += seq - this.last - 1;
    this.last = seq;
    if (fact) this.facts.push(fact);
  }

  #parse(text) {
    const { seq, prev, type, task, file } = JSON.parse(text);
    if (type === "hello" || type === "ping") return {};
    const isFact = type === "photo.captured" || (type === "task.update" && task.status !== "running");
    const message = { text: Buffer.from(text), seq, prev, fact: isFact && `${type} ${file ?? task.status}` };
    this.#known.set(this.last, message);
    if (this.#known.size > remembered) this.#known.delete(this.#known.keys().next().value);
    return message;
  }
}
