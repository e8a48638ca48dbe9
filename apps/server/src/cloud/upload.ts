import { createHash } from "node:crypto";
import { type Project, ScanError, type TaskProgress } from "@openscan/protocol";
import type { TaskContext } from "@openscan/tasks";
import { fileSize } from "../projects/folders.js";
import type { ProjectStore } from "../projects/project-store.js";
import type { CloudAccount } from "./account.js";
import {
  type ArchivedPhoto,
  archiveBytesAtMost,
  photosToUpload,
  writePhotoArchive,
} from "./photo-archive.js";
import { RemoteCloud } from "./remote-cloud.js";
import { Sending } from "./sending.js";
import type { Transfer, TransferFiles } from "./transfer-files.js";
import { resultOf, unsent, UploadRecord, type UploadResult } from "./upload-record.js";

export interface CloudParts {
  readonly account: CloudAccount;
  readonly store: ProjectStore;
  readonly files: TransferFiles;
}

/** One upload of a project's photos: packs them, sends them part by part, and has the cloud begin. */
export class Upload {
  readonly #project: string;
  readonly #token: string | null;
  readonly #parts: CloudParts;
  readonly #context: TaskContext;
  #progress: TaskProgress = { current: 0, total: 1, message: "Preparing upload: packing photos" };

  constructor(project: string, token: string | null, parts: CloudParts, context: TaskContext) {
    this.#project = project;
    this.#token = token;
    this.#parts = parts;
    this.#context = context;
  }

  get progress(): TaskProgress {
    return this.#progress;
  }

  async run(): Promise<UploadResult> {
    const { store, files, account } = this.#parts;
    const { signal, clock } = this.#context;
    const project = store.get(this.#project);
    const settings = account.require(this.#token);
    const remote = new RemoteCloud(settings, clock);
    const owner = digest([settings.host, settings.user, settings.token]);
    const photos = await photosToUpload(project, (scan, photo) => store.photoFile(project.name, scan, photo));
    if (photos.length === 0)
      throw new ScanError("conflict", `project ${JSON.stringify(project.name)} has no JPEG photos to upload`);

    return files.run("upload", project.name, signal, async (transfer) => {
      await files.sweep(store.list());
      const found = await transfer.load(UploadRecord);
      const record =
        found && (await this.#mayGoOn(found, project, photos, transfer))
          ? found
          : await this.#pack(project, photos, settings.split_size, transfer);
      if (record.account !== owner && !record.start_response)
        Object.assign(record, unsent(), { account: owner });
      await new Sending(record, transfer, remote, this.#context, (progress) => {
        this.#progress = progress;
      }).run();
      if (!record.told)
        await store.update(project.name, { uploaded: true, cloud_project_name: record.remote });
      // The record stays: who is killed before the task has its result finds it here.
      await transfer.save({ ...record, told: true });
      await transfer.discard({ keepRecord: true });
      const { archive_bytes } = record;
      this.#progress = { current: archive_bytes, total: archive_bytes, message: "Upload completed" };
      return resultOf(record);
    });
  }

  async #mayGoOn(
    record: UploadRecord,
    { uploaded, cloud_project_name }: Project,
    photos: readonly ArchivedPhoto[],
    transfer: Transfer,
  ): Promise<boolean> {
    if (record.told) return uploaded && cloud_project_name === record.remote;
    if (record.start_response) return true;
    const isWhole = (await fileSize(transfer.archiveFile)) === record.archive_bytes;
    return isWhole && record.photos === fingerprint(photos);
  }

  async #pack(
    project: Project,
    photos: readonly ArchivedPhoto[],
    splitSize: number,
    transfer: Transfer,
  ): Promise<UploadRecord> {
    const { signal, checkpoint, log } = this.#context;
    await transfer.discard();
    await this.#parts.files.requireSpace(archiveBytesAtMost(photos), "the archive of the photos");
    await writePhotoArchive(transfer.archiveFile, photos, {
      signal,
      pass: checkpoint,
      onPhoto: (index) => {
        const message = `Preparing upload: packing photo ${index + 1} of ${photos.length}`;
        this.#progress = { current: 0, total: 1, message };
      },
    });
    const archive_bytes = await fileSize(transfer.archiveFile);
    log.info({ project: project.name, photos: photos.length, bytes: archive_bytes }, "packed for the cloud");
    const record: UploadRecord = {
      project: project.name,
      photos: fingerprint(photos),
      photo_count: photos.length,
      archive_bytes,
      split_size: splitSize,
      account: "",
      ...unsent(),
    };
    return record;
  }
}

function fingerprint(photos: readonly ArchivedPhoto[]): string {
  return digest(photos.map(({ name, bytes, modifiedMs }) => [name, bytes, modifiedMs]));
}

function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
