import { open } from "node:fs/promises";
import { ScanError, type TaskProgress } from "@openscan/protocol";
import type { TaskContext } from "@openscan/tasks";
import { CloudError } from "./cloud-error.js";
import { LinkRefused } from "./link-refused.js";
import type { RemoteCloud, RemoteProject } from "./remote-cloud.js";
import { remoteName } from "./remote-name.js";
import { retrying } from "./retrying.js";
import { sendPart } from "./send-part.js";
import type { Transfer } from "./transfer-files.js";
import { type UploadRecord, unsent } from "./upload-record.js";

const maxParts = 10_000;
/** Fresh links that are asked for before a part is given up. */
const maxRenewals = 3;

/** Brings an archive to the cloud, from where its record says on. */
export class Sending {
  readonly #record: UploadRecord;
  readonly #transfer: Transfer;
  readonly #remote: RemoteCloud;
  readonly #context: TaskContext;
  readonly #report: (progress: TaskProgress) => void;

  constructor(
    record: UploadRecord,
    transfer: Transfer,
    remote: RemoteCloud,
    context: TaskContext,
    report: (progress: TaskProgress) => void,
  ) {
    this.#record = record;
    this.#transfer = transfer;
    this.#remote = remote;
    this.#context = context;
    this.#report = report;
  }

  async run(): Promise<void> {
    const record = this.#record;
    if (record.start_response) return;
    if (this.#count > maxParts)
      throw new ScanError(
        "invalid",
        `${record.archive_bytes} bytes in parts of ${record.split_size} are ${this.#count} parts; choose a larger split_size`,
      );
    this.#tell(0, 0);
    if (record.links.length !== this.#count) await this.#openRemote();
    let renewals = 0;
    for (let part = this.#nextPart(); part !== undefined; part = this.#nextPart()) {
      try {
        await this.#sendPart(part);
        renewals = 0;
      } catch (error) {
        if (!(error instanceof LinkRefused) || renewals === maxRenewals) throw error;
        renewals++;
        this.#context.log.warn(
          { problem: error.message, part },
          "an upload link has expired, asking for another",
        );
        await this.#renewLinks(part);
      }
    }
    record.start_response = await this.#start();
    await this.#save();
  }

  get #count(): number {
    return Math.ceil(this.#record.archive_bytes / this.#record.split_size);
  }

  get #retry() {
    const { signal, clock, log } = this.#context;
    return { signal, clock, log };
  }

  #nextPart(): number | undefined {
    const { sent } = this.#record;
    return Array.from({ length: this.#count }, (_, part) => part).find((part) => !sent.includes(part));
  }

  #bytesOf(part: number): number {
    const { archive_bytes, split_size } = this.#record;
    return Math.min(split_size, archive_bytes - part * split_size);
  }

  async #sendPart(part: number): Promise<void> {
    const { signal, clock, checkpoint } = this.#context;
    const file = await open(this.#transfer.archiveFile, "r");
    try {
      await retrying(async () => {
        await checkpoint();
        let bytes = 0;
        this.#tell(part, bytes);
        const link = this.#record.links[part] ?? "";
        const slice = { link, file, start: part * this.#record.split_size, bytes: this.#bytesOf(part) };
        const onBytes = (more: number) => {
          bytes += more;
          this.#tell(part, bytes);
        };
        await sendPart(slice, { signal, clock, pass: checkpoint, onBytes });
      }, this.#retry);
    } finally {
      await file.close();
    }
    this.#record.sent.push(part);
    await this.#save();
  }

  /** Makes a project in the cloud, or finds the one that was made when its making was interrupted. */
  async #openRemote(): Promise<void> {
    const record = this.#record;
    const { signal } = this.#context;
    await retrying(async () => {
      if (record.remote !== null && (await this.#findLinks(record.remote))) return;
      Object.assign(record, unsent(), { remote: this.#newName() });
      await this.#save();
      const request = {
        project: record.remote ?? "",
        photos: record.photo_count,
        parts: this.#count,
        filesize: record.archive_bytes,
      };
      const made = await this.#remote.createProject(request, { signal });
      if (!this.#take(made))
        throw new CloudError(
          `the cloud gave ${made.uploadLinks.length} upload links for ${this.#count} parts`,
          { isTransient: false },
        );
      await this.#save();
    }, this.#retry);
  }

  /** Fresh links for the parts that are missing; where the cloud has none, all begins anew under another name. */
  async #renewLinks(part: number): Promise<void> {
    const record = this.#record;
    const refused = record.links[part];
    const name = record.remote ?? "";
    const found = await retrying(() => this.#findLinks(name), this.#retry);
    if (found && record.links[part] !== refused) return;
    Object.assign(record, unsent());
    await this.#openRemote();
  }

  async #findLinks(name: string): Promise<boolean> {
    try {
      const info = await this.#remote.projectInfo(name, { signal: this.#context.signal });
      if (!this.#take(info)) return false;
    } catch (error) {
      if (error instanceof CloudError && !error.isTransient) return false;
      throw error;
    }
    await this.#save();
    return true;
  }

  #take({ uploadLinks, shown }: RemoteProject): boolean {
    if (uploadLinks.length !== this.#count) return false;
    const record = this.#record;
    record.links = [...uploadLinks];
    if (Object.keys(record.create_response).length === 0) record.create_response = shown;
    return true;
  }

  async #start(): Promise<Record<string, unknown>> {
    const { signal } = this.#context;
    const name = this.#record.remote ?? "";
    try {
      return await retrying(() => this.#remote.startProject(name, { signal }), this.#retry);
    } catch (error) {
      // A start whose answer was lost is refused when it is asked for again.
      const info = await this.#remote.projectInfo(name, { signal }).catch(() => undefined);
      signal.throwIfAborted();
      if (!info || [undefined, "", "created", "uploading"].includes(info.shown["status"] as string))
        throw error;
      return { status: info.shown["status"] };
    }
  }

  #newName(): string {
    const { project, remote } = this.#record;
    const now = this.#context.clock.now();
    const name = remoteName(project, now);
    return name === remote ? remoteName(project, now + 1) : name;
  }

  #tell(part: number, bytes: number): void {
    const { sent, archive_bytes } = this.#record;
    const current = sent.reduce((sum, part) => sum + this.#bytesOf(part), bytes);
    const message = `Uploading part ${part + 1} of ${this.#count} (${current}/${archive_bytes} bytes)`;
    this.#report({ current, total: archive_bytes, message });
  }

  #save(): Promise<void> {
    return this.#transfer.save(this.#record);
  }
}
