import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";

/** One request that reached the cloud, of whatever kind. */
export interface CloudRequest {
  /** `part` and `model` are the links that it hands out. */
  readonly action: string;
  readonly project: string | undefined;
  /** Zero-based; of a `part`. */
  readonly part?: number;
  readonly headers: IncomingMessage["headers"];
  readonly url: string;
  /** Bytes of a part that have come, or of a model that have gone. */
  bytes: number;
  /** Status of the answer, once there is one. */
  status?: number;
}

/** What goes wrong with a request; `after` counts bytes of a part or a model, from the beginning of the request. */
export type CloudFailure =
  | { readonly status: number; readonly body?: string; readonly headers?: Record<string, string> }
  | { readonly hang: true; readonly after?: number }
  | { readonly reset: true; readonly after?: number }
  /** The cloud does what it was asked to, but its answer never arrives. */
  | { readonly loseAnswer: true };

interface RemoteProject {
  readonly name: string;
  readonly photos: number;
  readonly filesize: number;
  readonly parts: (Buffer | undefined)[];
  status: string;
  model?: Buffer;
}

interface Link {
  readonly project: RemoteProject;
  readonly part: number;
  isValid: boolean;
}

/**
 * The remote cloud as a real HTTP server: the actions of its API, upload links that work once, and models to
 * download. Tests tell it what to do wrong.
 */
export class FakeCloud {
  readonly token = "test-token-of-the-cloud-0815";
  readonly user = "cloud-user";
  readonly password = "cloud-password-4711";
  readonly projects = new Map<string, RemoteProject>();
  /** Every request, in the order in which they came. */
  readonly requests: CloudRequest[] = [];
  /** Asked for every request: what goes wrong with it. */
  fail: (request: CloudRequest) => CloudFailure | undefined = () => undefined;
  /** Called before every answer of an action. */
  before: (request: CloudRequest) => Promise<void> | void = () => {};
  /** Bytes that pass in a millisecond through each link; none: as many as there are. */
  bytesPerMs: number | undefined;
  /** Whether `getProjectInfo` offers fresh links for the parts that are missing. */
  renewsLinks = true;
  /** Whether a model can be had from its middle on. */
  hasRanges = true;
  /** Whether a model comes with a length and a validator. */
  hasLength = true;
  hasEtag = true;
  readonly #server: Server;
  readonly #links = new Map<string, Link>();

  private constructor() {
    this.#server = createServer((req, res) => {
      // Whoever goes away in the middle is no failure of the cloud.
      this.#answer(req, res).catch(() => res.destroy());
    });
  }

  /** Ends with the test. */
  static async start(): Promise<FakeCloud> {
    const cloud = new FakeCloud();
    cloud.#server.listen(0, "127.0.0.1");
    await once(cloud.#server, "listening");
    onTestFinished(() => cloud.stop());
    return cloud;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What a scanner is configured with. */
  settings(change: { readonly split_size?: number; readonly token?: string } = {}) {
    return { host: this.url, user: this.user, password: this.password, token: this.token, ...change };
  }

  /** Everything that must never be repeated. */
  get secrets(): string[] {
    return [this.token, this.password];
  }

  /** The only project, of which there must be one. */
  get project(): RemoteProject {
    const [project, ...others] = this.projects.values();
    if (!project || others.length > 0) throw new Error(`there are ${this.projects.size} projects, not one`);
    return project;
  }

  /** The archive that was uploaded, of all its parts. */
  archive(name: string): Buffer {
    const project = this.projects.get(name);
    if (!project) throw new Error(`there is no remote project ${name}`);
    if (project.parts.includes(undefined)) throw new Error(`${name} lacks a part`);
    return Buffer.concat(project.parts as Buffer[]);
  }

  /** Uploads of parts that the cloud has answered well. */
  finishedParts(): string[] {
    return this.requests
      .filter(({ action, status }) => action === "part" && status === 200)
      .map(({ project, part }) => `${project}/${part}`);
  }

  of(action: string): CloudRequest[] {
    return this.requests.filter((request) => request.action === action);
  }

  /** Ends the processing of a project: from now on it has a model. */
  finish(name: string, model: Buffer): void {
    const project = this.projects.get(name) ?? this.#newProject(name, 0, 0, 0);
    project.status = "done";
    project.model = model;
  }

  expireLinks(): void {
    for (const link of this.#links.values()) link.isValid = false;
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? "/", this.url);
    const [, action = "", ...rest] = url.pathname.split("/").map(decodeURIComponent);
    const link = this.#links.get(rest[0] ?? "");
    const request: CloudRequest = {
      action,
      project: link?.project.name ?? url.searchParams.get("project") ?? rest[0],
      ...(link ? { part: link.part } : {}),
      headers: req.headers,
      url: req.url ?? "",
      bytes: 0,
    };
    this.requests.push(request);
    res.once("finish", () => {
      request.status = res.statusCode;
    });
    const failure = this.fail(request);
    if (failure && "status" in failure) {
      res.writeHead(failure.status, failure.headers).end(failure.body ?? "");
      return;
    }
    if (failure && !("loseAnswer" in failure) && failure.after === undefined) {
      if ("reset" in failure) req.socket.resetAndDestroy();
      return;
    }
    if (action === "part") return this.#receive(req, res, request, link, failure);
    if (action === "model") return this.#sendModel(req, res, request, failure);
    await this.before(request);
    const [status, body] = this.#act(req, action, url.searchParams);
    if (failure) {
      req.socket.destroy();
      return;
    }
    res.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  }

  #act(req: IncomingMessage, action: string, query: URLSearchParams): [number, object] {
    const account = Buffer.from(`${this.user}:${this.password}`).toString("base64");
    if (req.headers.authorization !== `Basic ${account}`) return [401, { message: "unknown user" }];
    if (req.method !== "GET") return [405, { message: "GET only" }];
    if (action === "status") return [200, { status: "online", version: "fake" }];
    // As a careless server would, it repeats what it was sent.
    if (query.get("token") !== this.token) return [403, { message: `no such token=${query.get("token")}` }];
    if (action === "getTokenInfo")
      return [200, { status: "ok", credit: 5e9, limit_photos: 999, limit_filesize: 2e9, token: this.token }];
    if (action === "getQueueEstimate") return [200, { estimated_time_seconds: 120, message: "two minutes" }];
    const name = query.get("project") ?? "";
    if (action === "createProject") return this.#create(name, query);
    const project = this.projects.get(name);
    if (!project) return [404, { message: `there is no project ${name}` }];
    if (action === "getProjectInfo") return [200, this.#info(project)];
    if (action === "resetProject") {
      this.projects.delete(name);
      return [200, { status: "reset" }];
    }
    if (action !== "startProject") return [404, { message: "no such action" }];
    if (project.status !== "created") return [400, { message: `${name} is ${project.status} already` }];
    if (project.parts.includes(undefined)) return [400, { message: `${name} lacks a part` }];
    project.status = "processing";
    return [200, { status: "started" }];
  }

  #create(name: string, query: URLSearchParams): [number, object] {
    const [photos = 0, parts = 0, filesize = 0] = ["photos", "parts", "filesize"].map((key) =>
      Number(query.get(key)),
    );
    if (!name.endsWith(".zip") || !photos || !parts || !filesize) return [400, { message: "bad parameters" }];
    if (this.projects.has(name)) return [409, { message: `${name} exists` }];
    const project = this.#newProject(name, photos, parts, filesize);
    const ulink = project.parts.map((_, part) => this.#newLink(project, part));
    return [200, { status: "created", ulink, credit: filesize, token: this.token }];
  }

  #info(project: RemoteProject): object {
    const { name, status, model, parts } = project;
    const known = (part: number) =>
      [...this.#links].find(([, link]) => link.project === project && link.part === part)?.[0];
    const ulink =
      status === "created"
        ? parts.map((_, part) =>
            this.renewsLinks ? this.#newLink(project, part) : `${this.url}/part/${known(part)}`,
          )
        : [];
    const dlink = model ? `${this.url}/model/${encodeURIComponent(name)}` : "";
    return { status, dlink, ulink, account: `token=${this.token}` };
  }

  #newProject(name: string, photos: number, parts: number, filesize: number): RemoteProject {
    const project = {
      name,
      photos,
      filesize,
      parts: Array.from({ length: parts }, () => undefined),
      status: "created",
    };
    this.projects.set(name, project);
    return project;
  }

  #newLink(project: RemoteProject, part: number): string {
    const id = createHash("sha1").update(`${project.name}/${part}/${this.#links.size}`).digest("hex");
    this.#links.set(id, { project, part, isValid: true });
    return `${this.url}/part/${id}`;
  }

  async #receive(
    req: IncomingMessage,
    res: ServerResponse,
    request: CloudRequest,
    link: Link | undefined,
    failure: CloudFailure | undefined,
  ): Promise<void> {
    const reject = (status: number) => void res.writeHead(status, { Connection: "close" }).end();
    if (!link) return reject(404);
    if (!link.isValid) return reject(410);
    if (req.method !== "POST" || req.headers["content-type"] !== "application/octet-stream")
      return reject(415);
    const chunks: Buffer[] = [];
    for await (const chunk of req) {
      chunks.push(chunk as Buffer);
      request.bytes += (chunk as Buffer).length;
      if (await this.#failsNow(req, request, failure)) return;
      if (this.bytesPerMs) await sleep((chunk as Buffer).length / this.bytesPerMs);
    }
    if (!req.complete) return;
    link.isValid = false;
    link.project.parts[link.part] = Buffer.concat(chunks);
    if (failure) {
      req.socket.destroy();
      return;
    }
    res.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ "content-hash": "0" }));
  }

  async #sendModel(
    req: IncomingMessage,
    res: ServerResponse,
    request: CloudRequest,
    failure: CloudFailure | undefined,
  ): Promise<void> {
    const model = this.projects.get(request.project ?? "")?.model;
    if (!model) return void res.writeHead(404).end();
    const etag = `"${createHash("sha1").update(model).digest("hex")}"`;
    const wanted = /^bytes=(\d+)-$/.exec(req.headers.range ?? "")?.[1];
    const validator = req.headers["if-range"];
    const isRange = this.hasRanges && wanted !== undefined && (validator === undefined || validator === etag);
    const start = isRange ? Number(wanted) : 0;
    if (start > model.length)
      return void res.writeHead(416, { "Content-Range": `bytes */${model.length}` }).end();
    res.writeHead(isRange ? 206 : 200, {
      "Content-Type": "application/zip",
      ...(this.hasLength ? { "Content-Length": model.length - start } : {}),
      ...(this.hasEtag ? { ETag: etag } : {}),
      ...(isRange ? { "Content-Range": `bytes ${start}-${model.length - 1}/${model.length}` } : {}),
    });
    for (let at = start; at < model.length; ) {
      const chunk = model.subarray(at, at + 16 * 1024);
      if (!res.write(chunk)) await drained(res);
      at += chunk.length;
      request.bytes += chunk.length;
      if (res.destroyed || (await this.#failsNow(req, request, failure))) return;
      if (this.bytesPerMs) await sleep(chunk.length / this.bytesPerMs);
    }
    res.end();
  }

  async #failsNow(
    req: IncomingMessage,
    request: CloudRequest,
    failure: CloudFailure | undefined,
  ): Promise<boolean> {
    if (!failure || !("after" in failure) || request.bytes < (failure.after ?? 0)) return false;
    // What was written before must arrive before the connection breaks.
    await sleep(20);
    if ("reset" in failure) req.socket.destroy();
    return true;
  }
}

/** Resolves when there is room for more, or nobody left to write to. */
function drained(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      res.off("drain", done).off("close", done);
      resolve();
    };
    res.on("drain", done).on("close", done);
  });
}
