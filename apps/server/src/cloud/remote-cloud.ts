import type { CloudSettings } from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";
import { z } from "zod";
import { maskingOf } from "./account.js";
import { CloudError, connectionProblem, isTransientStatus } from "./cloud-error.js";
import type { Masking } from "./mask.js";
import { readText } from "./read-text.js";
import { TimeLimit } from "./time-limit.js";

const maxRedirects = 3;
const maxAnswerBytes = 1024 * 1024;
const Answer = z.record(z.string(), z.unknown());
export type Answer = z.output<typeof Answer>;

type Action =
  | "status"
  | "getTokenInfo"
  | "getQueueEstimate"
  | "getProjectInfo"
  | "resetProject"
  | "createProject"
  | "startProject";

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  /** Default: 60 s for the whole answer. */
  readonly timeoutMs?: number;
}

/** What the cloud says of a project, and the links in it: whoever has one may use it, so they are not shown. */
export interface RemoteProject {
  readonly shown: Answer;
  /** One for each part of its archive; none when they are not all there. */
  readonly uploadLinks: readonly string[];
  /** Of its model, once there is one. */
  readonly downloadLink: string | undefined;
}

export interface NewRemoteProject {
  readonly project: string;
  readonly photos: number;
  readonly parts: number;
  readonly filesize: number;
}

/**
 * The API of the remote cloud, with one account. Methods throw CloudError with a message that a user may read, or
 * the reason of their signal. No answer and no message repeats the account's secrets.
 */
export class RemoteCloud {
  readonly masking: Masking;
  readonly #settings: CloudSettings;
  readonly #clock: Clock;

  constructor(settings: CloudSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.masking = maskingOf(settings);
  }

  status(options?: RequestOptions): Promise<Answer> {
    return this.#request("status", {}, options);
  }

  tokenInfo(options?: RequestOptions): Promise<Answer> {
    return this.#request("getTokenInfo", this.#token, options);
  }

  queueEstimate(options?: RequestOptions): Promise<Answer> {
    return this.#request("getQueueEstimate", this.#token, options);
  }

  async projectInfo(project: string, options?: RequestOptions): Promise<RemoteProject> {
    return this.#project(await this.#ask("getProjectInfo", { ...this.#token, project }, options));
  }

  resetProject(project: string, options?: RequestOptions): Promise<Answer> {
    return this.#request("resetProject", { ...this.#token, project }, options);
  }

  async createProject(
    { project, photos, parts, filesize }: NewRemoteProject,
    options?: RequestOptions,
  ): Promise<RemoteProject> {
    const numbers = { photos: String(photos), parts: String(parts), filesize: String(filesize) };
    return this.#project(await this.#ask("createProject", { ...this.#token, project, ...numbers }, options));
  }

  startProject(project: string, options?: RequestOptions): Promise<Answer> {
    return this.#request("startProject", { ...this.#token, project }, options);
  }

  get #token() {
    return { token: this.#settings.token };
  }

  #project(answer: Answer): RemoteProject {
    const { ulink, ...shown } = answer;
    return {
      shown: this.masking.value(shown),
      uploadLinks: Array.isArray(ulink) && ulink.every(isLink) ? ulink : [],
      downloadLink: isLink(answer["dlink"]) ? answer["dlink"] : undefined,
    };
  }

  async #request(
    action: Action,
    parameters: Readonly<Record<string, string>>,
    options?: RequestOptions,
  ): Promise<Answer> {
    return this.masking.value(await this.#ask(action, parameters, options));
  }

  async #ask(
    action: Action,
    parameters: Readonly<Record<string, string>>,
    { signal, timeoutMs = 60_000 }: RequestOptions = {},
  ): Promise<Answer> {
    signal?.throwIfAborted();
    const { host } = this.#settings;
    const url = new URL(action, host.endsWith("/") ? host : `${host}/`);
    url.search = new URLSearchParams(parameters).toString();
    const limit = new TimeLimit(this.#clock, timeoutMs);
    const either = signal ? AbortSignal.any([signal, limit.signal]) : limit.signal;
    try {
      const response = await this.#follow(action, url, either);
      return this.#parse(action, response, await readText(response, maxAnswerBytes));
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof CloudError) throw error;
      const problem = limit.isOver
        ? `it did not answer within ${timeoutMs / 1000} s`
        : this.masking.text(connectionProblem(error));
      throw new CloudError(`${action} got no answer of the cloud at ${url.origin}: ${problem}`, {
        isTransient: true,
      });
    } finally {
      limit.stop();
    }
  }

  /** Redirects are followed on the same host only: the request carries the account. */
  async #follow(action: Action, start: URL, signal: AbortSignal): Promise<Response> {
    const { user, password } = this.#settings;
    const Authorization = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    let url = start;
    for (let redirects = 0; redirects <= maxRedirects; redirects++) {
      const response = await fetch(url.href, { headers: { Authorization }, redirect: "manual", signal });
      const location = response.headers.get("Location");
      if (response.status < 300 || response.status > 399 || location === null) return response;
      await response.body?.cancel();
      const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
      if (!next || !isSameHost(next, start)) {
        throw new CloudError(
          `the cloud at ${start.origin} redirects ${action} to ${next?.origin ?? "an invalid address"}, which does not get the account`,
          { isTransient: false, status: response.status },
        );
      }
      url = next;
    }
    throw new CloudError(`the cloud at ${start.origin} redirects ${action} too often`, {
      isTransient: false,
    });
  }

  #parse(action: Action, response: Response, text: string): Answer {
    const { status, ok } = response;
    const json = parsed(text);
    if (!ok) {
      const said = this.masking.text(messageOf(json, text));
      throw new CloudError(`the cloud refused ${action}: ${[status, said].join(" ").trim()}`, {
        isTransient: isTransientStatus(status),
        status,
      });
    }
    const answer = Answer.safeParse(json);
    if (answer.success) return answer.data;
    throw new CloudError(`the cloud's answer to ${action} is not a JSON object`, {
      isTransient: false,
      status,
    });
  }
}

/** The same host and port, or the same host with encryption added. */
function isSameHost(next: URL, start: URL): boolean {
  if (next.origin === start.origin) return true;
  return next.hostname === start.hostname && start.protocol === "http:" && next.protocol === "https:";
}

function isLink(value: unknown): value is string {
  return typeof value === "string" && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What an error answer says to people: a member with a known name, else the beginning of a plain text. */
function messageOf(json: unknown, text: string): string {
  const { message, error, detail, status } = Object(json) as Record<string, unknown>;
  const said = [message, error, detail, status].find((value) => typeof value === "string");
  const plain = json === undefined && !/^\s*</.test(text) ? text : "";
  return (said ?? plain).trim().slice(0, 200);
}
