import { createHash, randomBytes, randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { CameraSettings, CloudSettings, ScanSettings, type Task } from "@openscan/protocol";
import { type Clock, systemClock } from "@openscan/runtime";
import { recordingLogger } from "@openscan/runtime/testing";
import { defineTask, TaskManager } from "@openscan/tasks";
import { MemoryTaskStore } from "@openscan/tasks/testing";
import { onTestFinished } from "vitest";
import { fromBufferPromise } from "yauzl";
import { FakeCloud } from "./cloud.js";
import { unlessMissing } from "../../src/projects/folders.js";
import { ProjectStore } from "../../src/projects/project-store.js";
import { cloudDownloadTask, cloudUploadTask } from "../../src/tasks/cloud-tasks.js";
import { temporaryFolder } from "../../src/tasks/testing.js";
import { CloudAccount } from "../../src/cloud/account.js";
import type { FreeBytes } from "../../src/cloud/disk-space.js";
import { TransferFiles } from "../../src/cloud/transfer-files.js";

/** Real time for the network, but whoever sleeps before another try sleeps a thousandth of it. */
class HastyClock implements Clock {
  /** What was slept, as it was asked for. */
  readonly slept: number[] = [];
  /** What a time limit of 60 s is divided by. */
  hurry = 1;
  now = systemClock.now;
  monotonic = systemClock.monotonic;

  after(ms: number, callback: () => void): () => void {
    return systemClock.after(ms / this.hurry, callback);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.slept.push(ms);
    return systemClock.sleep(ms / 1000, signal);
  }
}

interface CloudBenchOptions {
  readonly cloud?: FakeCloud;
  readonly directory?: string;
  readonly records?: MemoryTaskStore;
  readonly free?: FreeBytes;
  readonly splitSize?: number;
}

/** Everything around a transfer: real files, a real server; `directory` and `records` continue after a restart. */
export async function createCloudBench(options: CloudBenchOptions = {}) {
  const {
    directory = await temporaryFolder(),
    records = new MemoryTaskStore(),
    cloud = await FakeCloud.start(),
    splitSize = 100_000,
  } = options;
  const clock = new HastyClock();
  const log = recordingLogger();
  const store = new ProjectStore({ directory: join(directory, "projects"), clock, log });
  await store.load();
  const account = new CloudAccount({
    directory: join(directory, "firmware"),
    environmentToken: undefined,
    log,
  });
  await account.load();
  if (!account.settings)
    await account.replace(CloudSettings.parse(cloud.settings({ split_size: splitSize })));
  const temporary = join(directory, "tmp", "cloud");
  const files = new TransferFiles({
    directory: temporary,
    clock,
    log,
    ...(options.free ? { free: options.free } : {}),
  });
  await files.sweep(store.list());
  const parts = { account, store, files };
  const exclusive = defineTask({
    type: "exclusive_task",
    concurrency: "exclusive",
    input: () => null,
    run: async () => "done",
  });
  const tasks = new TaskManager({
    types: [cloudUploadTask(parts), cloudDownloadTask(parts), exclusive],
    store: records,
    clock,
    log,
    newId: randomUUID,
  });
  const events: Task[] = [];
  tasks.events.on((event) => {
    if (event.type === "updated") events.push(event.task);
  });
  await tasks.restore();
  onTestFinished(() => tasks.close());

  const run = async (type: string, ...args: unknown[]): Promise<Task> => {
    const { id } = await tasks.create(type, args);
    return tasks.ended(id);
  };
  return {
    directory,
    cloud,
    clock,
    log,
    store,
    account,
    files,
    tasks,
    events,
    upload: (project = "vase", token?: string) =>
      run("cloud_upload_task", project, ...(token === undefined ? [] : [token])),
    download: (project = "vase", remote: string | null = null) =>
      run("cloud_download_task", project, null, remote),
    /** What is left of transfers. */
    left: async () => (await unlessMissing(readdir(temporary))) ?? [],
    /** Interrupts everything, as a stop does; `createCloudBench` with what this returns is the next process. */
    stop: async () => {
      await tasks.close();
      await store.close();
      return { directory, records, cloud, splitSize };
    },
  };
}

/** Makes a project with one scan of photos that do not shrink; resolves with their digests by name. */
export async function addPhotos(
  store: ProjectStore,
  project: string,
  { count = 5, bytes = 60_000, names = [] as readonly string[] } = {},
): Promise<Map<string, string>> {
  if (!(project in store.list())) await store.create(project, null);
  const camera_settings = CameraSettings.parse({});
  const scan = await store.createScan(project, {
    settings: ScanSettings.parse({ points: Math.max(1, count) }),
    camera_name: "front",
    camera_settings,
    description: null,
  });
  const photos = new Map<string, string>();
  for (let step = 0; step < (names.length || count); step++) {
    const number = String(scan.index).padStart(2, "0");
    const file = names[step] ?? `scan${number}_${String(step).padStart(3, "0")}.jpg`;
    const content = randomBytes(bytes);
    const metadata = {
      format: "jpeg" as const,
      camera_metadata: { camera_name: "front", camera_settings, raw_metadata: {} },
      scan_metadata: null,
    };
    await store.savePhoto(project, scan.index, { file, bytes: content, metadata, seconds: 1 });
    photos.set(file, digest(content));
  }
  return photos;
}

/** Names of an archive and digests of their contents, as another program reads them. */
export async function unzipped(archive: Buffer): Promise<Map<string, string>> {
  const zip = await fromBufferPromise(archive);
  const files = new Map<string, string>();
  for await (const entry of zip.eachEntry()) {
    const chunks: Buffer[] = [];
    for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
    files.set(entry.fileName, digest(Buffer.concat(chunks)));
  }
  return files;
}

/** Buffers of megabytes are compared by their digests: a matcher would look at each byte. */
export function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export interface RawMember {
  readonly name: string;
  readonly bytes?: Uint8Array;
  /** Of Unix, its type included. */
  readonly mode?: number;
  readonly method?: number;
  readonly flags?: number;
  readonly crc?: number;
  /** What it claims to be unpacked. */
  readonly size?: number;
}

/** An archive that says whatever a test wants it to, true or not. */
export function rawZip(members: readonly RawMember[]): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const {
    name,
    bytes = Buffer.from(name),
    mode = 0o100644,
    method = 0,
    flags = 0x800,
    ...said
  } of members) {
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(said.crc ?? crc32(bytes), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(said.size ?? bytes.length, 18);
    common.writeUInt16LE(Buffer.byteLength(name), 22);
    const header = Buffer.concat([Buffer.from("PK\u0003\u0004"), common, Buffer.from(name)]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((mode * 2 ** 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    central.push(Buffer.from("PK\u0001\u0002"), Buffer.from([20, 3]), common, tail, Buffer.from(name));
    local.push(header, Buffer.from(bytes));
    offset += header.length + bytes.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(members.length, 4);
  end.writeUInt16LE(members.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...local, directory, Buffer.from("PK\u0005\u0006"), end]);
}
