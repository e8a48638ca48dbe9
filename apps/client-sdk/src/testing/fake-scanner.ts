import type { DeviceStatus, LiveTask, NamespaceName, Task } from "@openscan/protocol";
import { jsonDelta } from "@openscan/protocol/json-delta";
import { type ClientClock, systemClock } from "../clock.js";
import type { Fetch } from "../rest.js";
import type { SocketConstructor } from "../web-socket.js";
import { defaultDevice } from "./default-device.js";
import { fakeFetch } from "./fake-fetch.js";
import { FakeNetwork } from "./fake-network.js";
import { answer, type FakeRequest } from "./fake-rest.js";
import { FakeWebSocket } from "./fake-web-socket.js";
import { dotted, nested } from "./member-path.js";
import { newTask } from "./new-task.js";
import { type Patch, patched } from "./patched.js";
import type { AnyEvent } from "./rules.js";
import { ScannerStream } from "./scanner-stream.js";

type Fact<Type extends string> = Omit<Extract<AnyEvent, { readonly type: Type }>, "type">;

export interface FakeScannerOptions {
  /** What is different from a scanner with two motors, a camera and a light. */
  readonly device?: Patch<DeviceStatus>;
  /** Tasks that exist already; what is left out is filled in. */
  readonly tasks?: readonly Partial<Task>[];
  /** Speaks the legacy dialect only, as the first OpenScan3 servers. */
  readonly legacy?: boolean;
  /** Events that can be replayed to a client that comes back; 4096 unless told. */
  readonly maxEvents?: number;
  /** The clock of the time stamps and heartbeats; give it to the client too. */
  readonly clock?: ClientClock;
  /** Asked first about every request; `undefined` leaves it to the scanner. */
  readonly answer?: (request: FakeRequest) => Response | undefined | Promise<Response | undefined>;
}

/**
 * A scanner in memory, for tests of user interfaces: real clients connect to it through its `WebSocket` and
 * `fetch`, and see what a real scanner would tell them.
 */
export class FakeScanner {
  readonly url = "http://scanner.test";
  readonly WebSocket: SocketConstructor;
  readonly fetch: Fetch;
  readonly legacy: boolean;
  readonly clock: ClientClock;
  readonly #streams: Readonly<Record<NamespaceName, ScannerStream>>;
  readonly #network: FakeNetwork;
  #device: DeviceStatus;
  #tasks: readonly LiveTask[] = [];
  #starts = 1;
  #created = 0;
  #photos = 0;

  constructor({ device = {}, tasks = [], legacy = false, maxEvents = 4096, ...rest }: FakeScannerOptions) {
    this.legacy = legacy;
    this.clock = rest.clock ?? systemClock;
    this.#device = patched(defaultDevice, device);
    this.#tasks = tasks.map((task) => this.#newTask(task));
    this.#streams = {
      device: new ScannerStream("device", maxEvents),
      tasks: new ScannerStream("tasks", maxEvents),
    };
    const network = new FakeNetwork({ scanner: this, streams: this.#streams, legacy });
    this.#network = network;
    this.WebSocket = class extends FakeWebSocket {
      constructor(url: string, protocols?: string | readonly string[]) {
        super(network, url, protocols);
      }
    };
    this.fetch = fakeFetch(network, async (mount, request) => {
      return (await rest.answer?.(request)) ?? answer(this, mount, request);
    });
  }

  get device(): DeviceStatus {
    return this.#device;
  }

  get tasks(): readonly LiveTask[] {
    return this.#tasks;
  }

  /** New with each start. */
  get instance(): string {
    return `start-${this.#starts}`;
  }

  /** Where a stream is. */
  position(namespace: NamespaceName): { readonly epoch: string; readonly seq: number } {
    const { epoch, seq } = this.#streams[namespace];
    return { epoch, seq };
  }

  /** Open connections to a stream. */
  connections(namespace: NamespaceName): number {
    return this.#network.count(namespace);
  }

  /** Changes the device, e.g. `{ motors: { turntable: { angle: 90 } } }`; a member that is `undefined` is removed. */
  setDevice(patch: Patch<DeviceStatus>): void;
  /** The same for one value, e.g. `"motors.turntable.angle", 90`. */
  setDevice(path: string, value: unknown): void;
  setDevice(change: Patch<DeviceStatus> | string, value?: unknown): void {
    const patch = typeof change === "string" ? nested(change.split("."), value) : change;
    const before = this.#device;
    this.#device = patched(before, patch as Patch<DeviceStatus>);
    const { set, unset } = jsonDelta(before, this.#device);
    const changed = [...Object.keys(set), ...unset].map(dotted);
    if (changed.length > 0) this.#publish("device", { type: "device.status", device: this.#device, changed });
  }

  /** A new task that waits. */
  createTask(task: Partial<Task> = {}): LiveTask {
    const created = this.#newTask(task);
    this.#tasks = [...this.#tasks, created];
    this.#publish("tasks", { type: "task.update", task: created });
    return created;
  }

  /** A new task that runs. */
  startTask(task: Partial<Task> = {}): LiveTask {
    const { id } = this.createTask(task);
    return this.updateTask(id, { status: "running", started_at: this.#now() });
  }

  /** @throws Error when there is no such task */
  updateTask(id: string, patch: Patch<Task>): LiveTask {
    const before = this.#task(id);
    const task: LiveTask = { ...patched<Task>(before, patch), revision: before.revision + 1 };
    this.#tasks = this.#tasks.map((other) => (other === before ? task : other));
    this.#publish("tasks", { type: "task.update", task });
    return task;
  }

  /** Ends a task. @throws Error when there is no such task */
  finishTask(
    id: string,
    status: "completed" | "cancelled" | "error" | "interrupted" = "completed",
    patch: Patch<Task> = {},
  ): LiveTask {
    const { progress } = this.#task(id);
    const end = { status, completed_at: this.#now() };
    const done = status === "completed" && { progress: { ...progress, current: progress.total } };
    return this.updateTask(id, patched<Patch<Task>>({ ...end, ...done }, patch));
  }

  /** @throws Error when there is no such task */
  deleteTask(id: string): void {
    const gone = this.#task(id);
    this.#tasks = this.#tasks.filter((task) => task !== gone);
    this.#publish("tasks", { type: "task.deleted", id });
  }

  /** Tells that a task shows no progress. */
  stallTask(id: string, { phase = "moving", seconds = 60 }: Partial<Fact<"task.stalled">> = {}): void {
    this.#publish("tasks", { type: "task.stalled", id, phase, seconds });
  }

  /** Tells of a new photo. */
  capturePhoto(photo: Partial<Fact<"photo.captured">> & { readonly task_id: string }): void {
    const { project = "project", scan = 1 } = photo;
    const file = photo.file ?? `photo-${++this.#photos}.jpg`;
    const url = `/projects/${encodeURIComponent(project)}/${scan}/photo?filename=${encodeURIComponent(file)}&file_only=true`;
    const place = { theta: 0, fi: 0, stack_index: null, sharpness: null };
    this.#publish("tasks", { type: "photo.captured", ...place, url, ...photo, project, scan, file });
  }

  /** Tells that a piece of hardware failed. */
  fault({
    component,
    code = "hardware_fault",
    message = "it did not move",
  }: Partial<Fact<"device.fault">> & { readonly component: string }): void {
    this.#publish("device", { type: "device.fault", component, code, message });
  }

  /** Closes every connection, or breaks it when no code is given. Clients may come back. */
  disconnect(code = 1006, reason = ""): void {
    this.#network.drop(code, reason);
  }

  /**
   * Lets no new connection and no request through until `comeBack()`: nothing answers, or, with a close code such
   * as 4401, the scanner says why. With `disconnect()` it is a scanner that is switched off.
   */
  refuse(code?: number): void {
    this.#network.reach = { state: "refused", code };
  }

  /** As a pulled cable: nothing arrives any more and nobody is told, until `comeBack()` lets new connections through. */
  silence(): void {
    this.#network.reach = { state: "silent" };
    this.#network.abandon();
  }

  /** Ends `refuse()` and `silence()`. */
  comeBack(): void {
    this.#network.reach = { state: "open" };
  }

  /** Starts again: connections are closed, and what was missed meanwhile can not be replayed. The state stays. */
  restart(code = 1012, reason = ""): void {
    this.disconnect(code, reason);
    this.#starts++;
    for (const stream of Object.values(this.#streams)) stream.forget();
  }

  #publish(namespace: NamespaceName, event: AnyEvent): void {
    const stream = this.#streams[namespace];
    this.#network.publish(stream, stream.add(event, this.#now()));
  }

  #newTask(task: Partial<Task>): LiveTask {
    return newTask(`task-${++this.#created}`, this.#now(), task);
  }

  #task(id: string): LiveTask {
    const found = this.#tasks.find((task) => task.id === id);
    if (!found) throw new Error(`there is no task ${id}`);
    return found;
  }

  #now(): string {
    return new Date(this.clock.now()).toISOString();
  }
}

/** A scanner in memory. */
export function createFakeScanner(options: FakeScannerOptions = {}): FakeScanner {
  return new FakeScanner(options);
}
