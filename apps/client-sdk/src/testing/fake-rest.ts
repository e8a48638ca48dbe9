import type { DeviceStatus, LiveTask, NamespaceName, Task } from "@openscan/protocol";
import type { Patch } from "./patched.js";
import { legacyTask } from "./rules.js";

export interface FakeRequest {
  readonly method: string;
  /** Below the mount, e.g. `/motors/rotor/angle`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Parsed JSON; `undefined` when there is none. */
  readonly body: unknown;
  readonly headers: Headers;
}

/** What requests read and change. */
export interface RestScanner {
  readonly legacy: boolean;
  readonly device: DeviceStatus;
  readonly tasks: readonly LiveTask[];
  setDevice(patch: Patch<DeviceStatus>): void;
  updateTask(id: string, patch: Patch<Task>): LiveTask;
  finishTask(id: string, status: "cancelled"): LiveTask;
  position(namespace: NamespaceName): { readonly epoch: string; readonly seq: number };
}

/** The reply, or `undefined` when what `name` names does not exist. */
type Answer = (scanner: RestScanner, name: string, request: FakeRequest) => unknown;

/** What most pages ask for. Motors arrive at once. */
const operations: Readonly<Record<string, Answer>> = {
  "GET /device/info": ({ device }) => device,
  "GET /motors/": ({ device }) => device.motors,
  "GET /lights/": ({ device }) => device.lights,
  "GET /cameras/": ({ device }) => device.cameras,
  "PUT /motors/{}/angle": (scanner, name, { query }) =>
    turn(scanner, name, () => Number(query.get("degrees"))),
  "PATCH /motors/{}/angle": (scanner, name, { body }) =>
    turn(scanner, name, (angle) => angle + (body as { readonly degrees: number }).degrees),
  "PATCH /lights/{}/turn_on": (scanner, name) => shine(scanner, name, () => true),
  "PATCH /lights/{}/turn_off": (scanner, name) => shine(scanner, name, () => false),
  "PATCH /lights/{}/toggle": (scanner, name) => shine(scanner, name, (isOn) => !isOn),
  "GET /tasks/": ({ tasks }) => tasks,
  "GET /tasks/{}": findTask,
  "POST /tasks/{}/pause": (scanner, id) =>
    findTask(scanner, id) && scanner.updateTask(id, { status: "paused" }),
  "POST /tasks/{}/resume": (scanner, id) =>
    findTask(scanner, id) && scanner.updateTask(id, { status: "running" }),
  "DELETE /tasks/{}": (scanner, id) => findTask(scanner, id) && scanner.finishTask(id, "cancelled"),
};

/** Answers a request as the scanner's REST API would; 404 for what this scanner does not do. */
export function answer(scanner: RestScanner, mount: string, request: FakeRequest): Response {
  const reply = perform(scanner, request);
  if (reply === undefined) return Response.json({ detail: "Not Found" }, { status: 404 });
  const namespace = request.path.startsWith("/tasks/") ? "tasks" : "device";
  const shown = namespace === "tasks" && mount !== "next" ? withoutRevision(reply) : reply;
  if (scanner.legacy) return Response.json(shown);
  const { epoch, seq } = scanner.position(namespace);
  return Response.json(shown, { headers: { "OpenScan-Epoch": epoch, "OpenScan-Seq": String(seq) } });
}

function perform(scanner: RestScanner, request: FakeRequest): unknown {
  const asked = `${request.method} ${request.path}`;
  for (const [operation, perform] of Object.entries(operations)) {
    const found = new RegExp(`^${operation.replace("{}", "([^/]+)")}$`).exec(asked);
    if (found) return perform(scanner, decodeURIComponent(found[1] ?? ""), request);
  }
  return undefined;
}

function turn(scanner: RestScanner, name: string, angle: (before: number) => number): unknown {
  const motor = scanner.device.motors[name];
  if (!motor) return undefined;
  scanner.setDevice({ motors: { [name]: { angle: angle(motor.angle) } } });
  return scanner.device.motors[name];
}

function shine(scanner: RestScanner, name: string, isOn: (before: boolean) => boolean): unknown {
  const light = scanner.device.lights[name];
  if (!light) return undefined;
  scanner.setDevice({ lights: { [name]: { is_on: isOn(light.is_on) } } });
  return scanner.device.lights[name];
}

function findTask({ tasks }: RestScanner, id: string): LiveTask | undefined {
  return tasks.find((task) => task.id === id);
}

function withoutRevision(reply: unknown): unknown {
  return Array.isArray(reply) ? (reply as LiveTask[]).map(legacyTask) : legacyTask(reply as LiveTask);
}
