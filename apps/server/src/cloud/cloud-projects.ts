import {
  type CloudProjectStatus,
  legacyTask,
  type LiveTask,
  type Project,
  ScanError,
  type Task,
  terminalStatuses,
} from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";
import type { TaskManager } from "@openscan/tasks";
import { projectOf } from "../projects/scans.js";
import { downloadTaskType, uploadTaskType } from "../tasks/cloud-tasks.js";
import { RemoteCloud } from "./remote-cloud.js";
import { RemoteInfos } from "./remote-infos.js";
import type { CloudParts } from "./upload.js";
import { CloudError } from "./cloud-error.js";

export interface CloudProjectsOptions extends CloudParts {
  readonly tasks: TaskManager;
  readonly clock: Clock;
}

/** A list must not keep a page waiting; who asks for one project may wait a little longer. */
const listPatienceMs = 3000;
const singlePatienceMs = 10_000;

/** The local projects and their copies in the cloud. */
export class CloudProjects {
  readonly #parts: CloudProjectsOptions;
  readonly #infos: RemoteInfos;

  constructor(parts: CloudProjectsOptions) {
    this.#parts = parts;
    this.#infos = new RemoteInfos(parts.clock);
  }

  /** Never fails: what goes wrong with a project is its message. */
  async list(): Promise<CloudProjectStatus[]> {
    const projects = Object.values(this.#parts.store.list());
    const deadline = this.#parts.clock.monotonic() + listPatienceMs;
    return Promise.all(projects.map((project) => this.#status(project, deadline)));
  }

  /** @throws ScanError `not_found` for an unknown project */
  async get(name: string): Promise<CloudProjectStatus> {
    const deadline = this.#parts.clock.monotonic() + singlePatienceMs;
    return this.#status(this.#parts.store.get(name), deadline);
  }

  /**
   * Removes a project's copy in the cloud, and lets the project forget it.
   *
   * @throws ScanError `not_found` for an unknown project and one without a copy, `bad_request` while the cloud is not
   * configured, CloudError
   */
  async reset(name: string): Promise<Record<string, unknown>> {
    const { store, account, clock, files } = this.#parts;
    const project = store.get(name);
    const remote = project.cloud_project_name;
    if (remote === null)
      throw new ScanError("not_found", `project ${JSON.stringify(project.name)} has no copy in the cloud`);
    const response = await new RemoteCloud(account.require(), clock).resetProject(remote).catch(gone);
    await store.update(project.name, { uploaded: false, downloaded: false, cloud_project_name: null });
    await files.forgetUpload(project.name);
    this.#infos.forget();
    return { project: project.name, remote_project: remote, response };
  }

  /** @throws ScanError `bad_request` when there is nothing to upload to, no such project, or an upload already */
  async upload(name: string, token: string | null): Promise<Task> {
    const { account, tasks } = this.#parts;
    account.require();
    const project = this.#find(name);
    if (project.uploaded) {
      throw new ScanError(
        "bad_request",
        `project ${JSON.stringify(project.name)} is uploaded already; reset it in the cloud first`,
      );
    }
    this.#requireNone(uploadTaskType, "an upload", project);
    return tasks.create(uploadTaskType, [project.name], { token });
  }

  /**
   * @param remoteName default: the one that the project was uploaded as
   * @throws ScanError `bad_request` when there is nothing to download, no such project, or a download already;
   * CloudError
   */
  async download(name: string, token: string | null, remoteName: string | null): Promise<Task> {
    const { account, tasks, clock } = this.#parts;
    const settings = account.require(token);
    const project = this.#find(name);
    const remote = remoteName ?? project.cloud_project_name;
    if (remote === null) {
      throw new ScanError(
        "bad_request",
        `project ${JSON.stringify(project.name)} has no copy in the cloud: upload it first`,
      );
    }
    this.#requireNone(downloadTaskType, "a download", project);
    const { downloadLink } = await new RemoteCloud(settings, clock).projectInfo(remote);
    if (downloadLink === undefined)
      throw new ScanError("bad_request", `the cloud has no model of ${remote} yet: try again later`);
    // Another one may have come meanwhile.
    this.#requireNone(downloadTaskType, "a download", project);
    return tasks.create(downloadTaskType, [project.name], { token, remote_project: remote });
  }

  #find(name: string): Project {
    try {
      return this.#parts.store.get(name);
    } catch (error) {
      if (error instanceof ScanError && error.code === "not_found")
        throw new ScanError("bad_request", error.message, { cause: error });
      throw error;
    }
  }

  #requireNone(type: string, what: string, { name }: Project): void {
    const active = this.#parts.tasks
      .list()
      .find(
        (task) => task.task_type === type && !terminalStatuses.has(task.status) && projectOf(task) === name,
      );
    if (!active) return;
    throw new ScanError(
      "bad_request",
      `project ${JSON.stringify(name)} has ${what} already: task ${active.id} is ${active.status}`,
    );
  }

  async #status(project: Project, deadline: number): Promise<CloudProjectStatus> {
    const uploads = this.#uploads(project);
    const remote = project.cloud_project_name;
    const status = { project, remote_project_name: remote, tasks: uploads.map(legacyTask) };
    if (remote === null) {
      const isUploading = uploads.some((task) => !terminalStatuses.has(task.status));
      return { ...status, remote_info: null, message: isUploading ? "the upload is not finished" : null };
    }
    const { info, message } = await this.#infos.get(remote, this.#parts.account.settings, deadline);
    return { ...status, remote_info: info, message };
  }

  #uploads({ name }: Project): LiveTask[] {
    return this.#parts.tasks
      .list()
      .filter((task) => task.task_type === uploadTaskType && projectOf(task) === name);
  }
}

/** A reset whose answer was lost, or that a power cut kept us from noting: what is gone need not be removed. */
function gone(error: unknown): Record<string, unknown> {
  if (error instanceof CloudError && error.status === 404) return { message: error.message };
  throw error;
}
