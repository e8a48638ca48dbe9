import {
  type DeviceStatus,
  type EventOf,
  type LiveTask,
  type MotorStatus,
  type TaskStatus,
  terminalStatuses,
} from "@openscan/protocol";
import { type Clock, timestamp } from "@openscan/runtime";
import { type AnyEvent, isFact } from "./events.js";
import { firstDevice, firstTask, motorNames } from "./fixtures.js";

export type State = readonly LiveTask[] | DeviceStatus;
export type Name = "tasks" | "device";

/** What happens at the scanner; `target` chooses a task or a component, whatever there is. */
export interface Happening {
  readonly what:
    | "move"
    | "light"
    | "configure"
    | "fault"
    | "create"
    | "start"
    | "progress"
    | "pause"
    | "end"
    | "delete"
    | "photo"
    | "stalled";
  readonly target: number;
  /** Bytes by which the message is larger than it has to be. */
  readonly padding: number;
}

/** A place in the stream of a namespace. */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** What a scanner needs of a hub. */
export interface EventSink {
  publish<N extends Name>(namespace: N, event: EventOf<N>): void;
  position(namespace: Name): Position;
}

/** An event, among all of its namespace whatever the epoch. */
export interface Happened {
  readonly index: number;
  readonly event: AnyEvent;
  readonly fact: boolean;
}

export interface Published extends Happened {
  readonly epoch: string;
  readonly seq: number;
  readonly at: number;
  /** Of the namespace, with this event in it. */
  readonly state: State;
}

const endings: readonly TaskStatus[] = ["completed", "cancelled", "error", "interrupted"];
const maxTasks = 6;
const names = ["tasks", "device"] as const;

/** A scanner without hardware: it has a state, and remembers everything that it published and when. */
export class Scanner {
  readonly #clock: Clock;
  #hub: EventSink | undefined;
  readonly #byPosition = new Map<string, Published>();
  readonly #start = new Map<string, State>();
  readonly #firstIndex = new Map<string, number>();
  #device: DeviceStatus;
  #tasks: readonly LiveTask[] = [];
  /** Makes everything that happens different from all that happened before. */
  #count = 0;
  #created = 0;
  readonly published: Record<Name, Published[]> = { tasks: [], device: [] };
  readonly #position: Record<Name, Position> = {
    tasks: { epoch: "", seq: 0 },
    device: { epoch: "", seq: 0 },
  };

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#device = firstDevice();
  }

  /** From now on events go to this hub, which has seen none yet; without one nothing happens. */
  connect(hub: EventSink | undefined): void {
    this.#hub = hub;
    if (!hub) return;
    for (const namespace of names) {
      const { epoch, seq } = hub.position(namespace);
      this.#position[namespace] = { epoch, seq };
      this.#start.set(`${namespace} ${epoch}`, this.state(namespace));
      this.#firstIndex.set(`${namespace} ${epoch}`, this.published[namespace].length);
    }
  }

  /** Of the newest event. */
  position(namespace: Name): Position {
    return this.#position[namespace];
  }

  find(namespace: Name, epoch: string, seq: number): Published | undefined {
    return this.#byPosition.get(`${namespace} ${epoch} ${seq}`);
  }

  /** Index of the first event of an epoch, whether it has happened or not. */
  firstIndex(namespace: Name, epoch: string): number {
    return this.#firstIndex.get(`${namespace} ${epoch}`) ?? 0;
  }

  /** With all events up to `seq` in it. */
  stateAt(namespace: Name, epoch: string, seq: number): State | undefined {
    return this.find(namespace, epoch, seq)?.state ?? this.#start.get(`${namespace} ${epoch}`);
  }

  get device(): DeviceStatus {
    return this.#device;
  }

  get tasks(): readonly LiveTask[] {
    return this.#tasks;
  }

  state(namespace: Name): State {
    return namespace === "tasks" ? this.#tasks : this.#device;
  }

  /** What nobody publishes: a server that was killed comes back with a somewhat different state. */
  changeUnseen(): void {
    this.#setDevice({ ...this.#device, idle: !this.#device.idle });
    this.#tasks = this.#tasks.map((task) =>
      terminalStatuses.has(task.status) ? task : { ...task, status: "interrupted", revision: ++this.#count },
    );
  }

  happen({ what, target, padding }: Happening): void {
    const id = target % Math.max(1, this.#tasks.length);
    const task = this.#tasks[id];
    if (!this.#hub) return;
    switch (what) {
      case "move":
        return this.#move(motorNames[target % motorNames.length] as string, target);
      case "light":
        return this.#light(padding);
      case "configure":
        return this.#configure();
      case "fault":
        return this.#fault(target, padding);
      case "create":
        return this.#create(padding);
      default:
        return task ? this.#continue(what, task, target, padding) : this.#create(padding);
    }
  }

  #continue(
    what: Exclude<Happening["what"], "move" | "light" | "configure" | "fault" | "create">,
    task: LiveTask,
    target: number,
    padding: number,
  ): void {
    const { id } = task;
    const over = terminalStatuses.has(task.status);
    const progress = { current: this.#count, total: 1000, message: "p".repeat(padding) };
    switch (what) {
      case "start":
        return this.#update({
          ...task,
          status: "running",
          started_at: timestamp(this.#clock),
          completed_at: null,
        });
      case "progress":
        return this.#update(over ? { ...task, status: "running", progress } : { ...task, progress });
      case "pause":
        return this.#update({ ...task, status: task.status === "paused" ? "running" : "paused" });
      case "end":
        return this.#update({
          ...task,
          status: endings[target % endings.length] ?? "completed",
          completed_at: timestamp(this.#clock),
        });
      case "delete":
        this.#tasks = this.#tasks.filter((other) => other !== task);
        return this.#say("tasks", { type: "task.deleted", id });
      case "photo":
        return this.#say("tasks", {
          type: "photo.captured",
          task_id: id,
          project: "p",
          scan: 1,
          file: `${++this.#count}.jpg${"-".repeat(padding)}`,
          theta: 1,
          fi: 2,
          stack_index: null,
          sharpness: null,
          url: "/",
        });
      case "stalled":
        return this.#say("tasks", { type: "task.stalled", id, phase: "capture", seconds: ++this.#count });
    }
  }

  #create(padding: number): void {
    if (this.#tasks.length >= maxTasks) {
      const [oldest] = this.#tasks;
      this.#tasks = this.#tasks.slice(1);
      this.#say("tasks", { type: "task.deleted", id: (oldest as LiveTask).id });
    }
    const task = firstTask(`t${this.#created++}`, timestamp(this.#clock), ++this.#count, padding);
    this.#tasks = [...this.#tasks, task];
    this.#say("tasks", { type: "task.update", task });
  }

  #update(changed: LiveTask): void {
    const task = { ...changed, revision: ++this.#count };
    this.#tasks = this.#tasks.map((other) => (other.id === task.id ? task : other));
    this.#say("tasks", { type: "task.update", task });
  }

  #move(name: string, target: number): void {
    const motor = this.#device.motors[name] as MotorStatus;
    const moved = { ...motor, angle: (this.#count % 360) + 0.5, busy: target % 2 === 0 };
    this.#setDevice({ ...this.#device, motors: { ...this.#device.motors, [name]: moved } });
    this.#tell([`motors.${name}.angle`, `motors.${name}.busy`]);
  }

  #light(padding: number): void {
    const ring = this.#device.lights["ring"] as DeviceStatus["lights"][string];
    this.#setDevice({
      ...this.#device,
      shield: "s".repeat(padding),
      lights: { ring: { ...ring, is_on: !ring.is_on } },
    });
    this.#tell(["lights.ring.is_on"]);
  }

  /** A component comes or goes: anything may have changed. */
  #configure(): void {
    const { extra, ...rest } = this.#device.motors;
    const turntable = rest["turntable"] as MotorStatus;
    this.#setDevice({
      ...this.#device,
      motors: extra ? rest : { ...rest, extra: { ...turntable, name: "extra" } },
    });
    this.#tell(null);
  }

  #fault(target: number, padding: number): void {
    this.#say("device", {
      type: "device.fault",
      component: `motors.${motorNames[target % motorNames.length]}`,
      code: "hardware_fault",
      message: `${++this.#count}${"-".repeat(padding)}`,
    });
  }

  #setDevice(device: DeviceStatus): void {
    this.#device = { ...device, scan_radius_mm: ++this.#count };
  }

  #tell(changed: readonly string[] | null): void {
    this.#say("device", {
      type: "device.status",
      device: this.#device,
      changed: changed && [...changed, "scan_radius_mm"],
    });
  }

  #say(namespace: Name, event: AnyEvent): void {
    const { epoch, seq } = this.#position[namespace];
    const published: Published = {
      event,
      fact: isFact(event),
      epoch,
      seq: seq + 1,
      index: this.published[namespace].length,
      at: this.#clock.now(),
      state: this.state(namespace),
    };
    this.#position[namespace] = { epoch, seq: seq + 1 };
    this.#byPosition.set(`${namespace} ${epoch} ${seq + 1}`, published);
    this.published[namespace].push(published);
    this.#hub?.publish(namespace, event);
    const now = this.#hub?.position(namespace);
    if (now?.epoch !== epoch || now.seq !== seq + 1) throw new Error(`seq went from ${seq} to ${now?.seq}`);
  }
}
