import { once } from "node:events";
import { connect } from "node:net";
import type { Task } from "@openscan/protocol";
import type { FakeClock } from "@openscan/runtime/testing";
import { deviceStatus, handshake, maskedTextFrame, parseFrames, turn } from "./rig.js";

/** The part of a scanner that the session needs. */
export interface Scanner {
  readonly port: number;
  readonly clock: FakeClock;
  readonly publishTask: (task: Task) => void;
  readonly publishDevice: (device: ReturnType<typeof deviceStatus>, changed: string[] | null) => void;
  /** What legacy clients have no word for. */
  readonly publishNews: () => void;
  readonly close: () => Promise<void>;
}

const task: Task = {
  id: "0b9c8f57-6f0f-4f5e-8a53-0d1a3a3c5b0e",
  name: "scan_task",
  task_type: "scan_task",
  is_exclusive: true,
  is_blocking: false,
  status: "pending",
  progress: { current: 0, total: 0, message: "" },
  result: null,
  error: null,
  created_at: "2026-01-01T00:00:00.000Z",
  started_at: null,
  completed_at: null,
  run_args: [{ project_name: "Väse 🏺", index: 1, settings: { points: 3 } }],
  run_kwargs: {},
};

/**
 * What three legacy clients receive in a session in which something of everything happens, byte by byte: one
 * line for the handshake's answer, one for each frame.
 */
export async function legacySession(scanner: Scanner): Promise<Record<string, string[]>> {
  const { clock, publishTask, publishDevice, publishNews } = scanner;
  const tasks = await record(scanner.port, "/tasks?v1=0&types=task.deleted&since=0&delta=1");
  const device = await record(scanner.port, "/device");
  publishTask(task);
  publishNews();
  publishDevice(deviceStatus(), null);
  const running: Task = { ...task, status: "running", started_at: "2026-01-01T00:00:01.000Z" };
  for (let current = 0; current <= 3; current++) {
    publishTask({ ...running, progress: { current, total: 3, message: `Photo ${current} of 3 – 📷` } });
    publishDevice({ ...deviceStatus(), scan_radius_mm: 100 + current }, [
      "motors.turn.table 1.angle",
      "motors.turn.table 1.busy",
    ]);
  }
  await turn();
  publishTask({ ...running, status: "paused" });
  await turn();
  tasks.say('{"type":"pong"}');
  tasks.say('{"type":"subscribe","delta":true}');
  device.say("");
  await tasks.inStep();
  await device.inStep();
  publishNews();
  await clock.advance(25_000);
  publishTask({ ...running, result: { nested: [1, 2.5, "x", null, true] } });
  await turn();
  await clock.advance(5_000);
  await tasks.inStep();
  const late = await record(scanner.port, "/tasks");
  late.say("{broken");
  late.say('{"type":"subscribe"}');
  await late.inStep();
  publishTask({ ...task, status: "error", error: "the motor “rotor” is stuck\n\u2028" });
  publishTask({ ...task, id: "2", status: "cancelled", completed_at: "2026-01-01T00:00:30.000Z" });
  publishTask({ ...task, id: "3", status: "interrupted" });
  publishNews();
  await turn();
  await clock.advance(26_000);
  publishTask({ ...task, id: "4", status: "completed", result: "x".repeat(70_000) });
  publishDevice({ ...deviceStatus(), name: "a".repeat(200) }, []);
  const ended = Promise.all([tasks, device, late].map((client) => client.lines()));
  await scanner.close();
  const [first = [], second = [], third = []] = await ended;
  return { tasks: first, device: second, late: third };
}

async function record(port: number, path: string) {
  const socket = connect(port, "127.0.0.1");
  let bytes = Buffer.alloc(0);
  const ended = once(socket, "end");
  socket.on("data", (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
  });
  socket.write(handshake(path));
  while (!bytes.includes("\r\n\r\n")) await once(socket, "data");
  let pings = 0;
  return {
    say: (text: string) => socket.write(maskedTextFrame(text)),
    /** Waits until the server has read what was said: it answers a ping. */
    async inStep() {
      const payload = 0x30 + pings++;
      socket.write(Buffer.from([0x89, 0x81, 0, 0, 0, 0, payload]));
      while (!bytes.includes(Buffer.from([0x8a, 1, payload]))) await once(socket, "data");
    },
    async lines(): Promise<string[]> {
      await ended;
      socket.destroy();
      const head = bytes.indexOf("\r\n\r\n") + 4;
      const frames = parseFrames(bytes.subarray(head)).map(({ opcode, payload }) =>
        JSON.stringify(opcode === 1 ? payload.toString() : { opcode, payload: payload.toString("hex") }),
      );
      return [JSON.stringify(bytes.subarray(0, head).toString()), ...frames];
    },
  };
}
