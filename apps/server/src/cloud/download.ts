import { ScanError, type TaskProgress } from "@openscan/protocol";
import type { TaskContext } from "@openscan/tasks";
import { z } from "zod";
import { CloudError } from "./cloud-error.js";
import { directLink } from "./direct-link.js";
import { freeBytes, requireSpace } from "./disk-space.js";
import { LinkRefused } from "./link-refused.js";
import { ReceivedFile, receiveFile } from "./receive-file.js";
import { RemoteCloud, type RemoteProject } from "./remote-cloud.js";
import { retrying } from "./retrying.js";
import type { Transfer } from "./transfer-files.js";
import { unpackModel } from "./unpack-model.js";
import type { CloudParts } from "./upload.js";

const polls = 3;
const pollMs = 3000;
/** Fresh links that are asked for before the download is given up. */
const maxRenewals = 3;

const DownloadRecord = z.object({ project: z.string(), remote: z.string(), received: ReceivedFile });

export interface DownloadResult {
  /** Its name in the cloud. */
  readonly project: string;
  readonly archive_size_bytes: number;
  readonly bytes_downloaded: number;
  readonly download_info: Readonly<Record<string, unknown>>;
}

export interface DownloadInput {
  readonly project: string;
  readonly token: string | null;
  /** Default: the one that the project was uploaded as. */
  readonly remote: string | null;
}

/** One download of the model that the cloud has made of a project. */
export class Download {
  readonly #input: DownloadInput;
  readonly #parts: CloudParts;
  readonly #context: TaskContext;
  #progress: TaskProgress = { current: 0, total: polls, message: "Asking the cloud for the model" };

  constructor(input: DownloadInput, parts: CloudParts, context: TaskContext) {
    this.#input = input;
    this.#parts = parts;
    this.#context = context;
  }

  get progress(): TaskProgress {
    return this.#progress;
  }

  async run(): Promise<DownloadResult> {
    const { store, files, account } = this.#parts;
    const { signal, clock, checkpoint } = this.#context;
    const project = store.get(this.#input.project);
    const name = this.#input.remote ?? project.cloud_project_name;
    if (name === null)
      throw new ScanError(
        "conflict",
        `project ${JSON.stringify(project.name)} was not uploaded to the cloud`,
      );
    const cloud = new RemoteCloud(account.require(this.#input.token), clock);

    return files.run("download", project.name, signal, async (transfer) => {
      await files.sweep(store.list());
      const { info, bytes } = await this.#receive(cloud, name, transfer, project.name);
      this.#progress = { current: bytes, total: bytes, message: "Unpacking the model" };
      await store.replaceModel(project.name, (folder) =>
        unpackModel(transfer.archiveFile, folder, {
          signal,
          pass: checkpoint,
          archiveBytes: bytes,
          requireSpace: (needed) => requireSpace(folder, needed, "the model", freeBytes),
        }),
      );
      await store.update(project.name, { downloaded: true });
      await transfer.discard();
      this.#progress = { current: bytes, total: bytes, message: "Download completed" };
      return { project: name, archive_size_bytes: bytes, bytes_downloaded: bytes, download_info: info.shown };
    });
  }

  async #receive(
    cloud: RemoteCloud,
    name: string,
    transfer: Transfer,
    project: string,
  ): Promise<{ info: RemoteProject; bytes: number }> {
    for (let renewals = 0; ; renewals++) {
      const { info, link } = await this.#awaitLink(cloud, name);
      try {
        return { info, bytes: await this.#receiveFrom(link, name, transfer, project) };
      } catch (error) {
        if (!(error instanceof LinkRefused) || renewals === maxRenewals) throw error;
        this.#context.log.warn(
          { problem: error.message },
          "the download link has expired, asking for another",
        );
      }
    }
  }

  async #awaitLink(cloud: RemoteCloud, name: string): Promise<{ info: RemoteProject; link: string }> {
    const { signal, clock, checkpoint, log } = this.#context;
    for (let poll = 1; ; poll++) {
      await checkpoint();
      const message = `Asking the cloud for the model (${poll} of ${polls})`;
      this.#progress = { current: poll - 1, total: polls, message };
      const info = await retrying(() => cloud.projectInfo(name, { signal }), { signal, clock, log });
      if (info.downloadLink !== undefined) return { info, link: directLink(info.downloadLink) };
      if (poll === polls)
        throw new CloudError(`the cloud has no model of ${name} yet: try again later`, {
          isTransient: false,
        });
      await clock.sleep(pollMs, signal);
    }
  }

  async #receiveFrom(link: string, remote: string, transfer: Transfer, project: string): Promise<number> {
    const { signal, clock, checkpoint, log } = this.#context;
    const record = await transfer.load(DownloadRecord);
    let known = record?.remote === remote ? record.received : undefined;
    let furthest = 0;
    let hasAdvanced = false;
    return retrying(
      async () => {
        await checkpoint();
        hasAdvanced = false;
        return receiveFile({
          link,
          file: transfer.archiveFile,
          known,
          signal,
          clock,
          pass: checkpoint,
          onBegin: async (received) => {
            known = received;
            furthest = 0;
            await transfer.save({ project, remote, received } satisfies z.output<typeof DownloadRecord>);
          },
          onBytes: (bytes, total) => {
            hasAdvanced ||= furthest > 0 && bytes > furthest;
            furthest = Math.max(furthest, bytes);
            const whole = total ?? Math.max(bytes, 1);
            this.#progress = {
              current: bytes,
              total: whole,
              message: `Downloading archive (${bytes}/${whole} bytes)`,
            };
          },
          requireSpace: (bytes) => this.#parts.files.requireSpace(bytes, "the model's archive"),
        });
      },
      { signal, clock, log, hasAdvanced: () => hasAdvanced },
    );
  }
}
