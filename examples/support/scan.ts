import { once } from "node:events";
import type { ScannerClient } from "@openscan/client-sdk";
import type { Task } from "@openscan/protocol";
import { WebSocket } from "ws";

const POINTS = 5;

/** Starts a scan of five small photos; resolves with the id of its task. */
export async function startSmallScan(client: ScannerClient, project_name: string): Promise<string> {
  const [name = ""] = Object.keys(await client.request("GET /cameras/"));
  const small = { photo_resolution: [320, 240], AF: false };
  await client.request("PATCH /cameras/{name}/settings", { params: { name }, body: small });
  await client.request("POST /projects/{project_name}", { params: { project_name } });
  const task = await client.request("POST /projects/{project_name}/scan", {
    params: { project_name },
    query: { camera_name: name },
    body: { points: POINTS },
  });
  return task.id;
}

/** What was published about a task: `["pending 0/0", "running 1/5", …]`, read from a plain socket to its end. */
export async function publishedSteps(url: string): Promise<(id: string) => Promise<string[]>> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/latest/ws/tasks`);
  const tasks: Task[] = [];
  let heard = () => {};
  socket.on("message", (data: Buffer) => {
    const message = JSON.parse(data.toString()) as { type: string; task: Task };
    if (message.type !== "task.update") return;
    tasks.push(message.task);
    heard();
  });
  await once(socket, "open");
  return async (id) => {
    // Other scans may end meanwhile: that of an earlier example still goes on when it has shown enough.
    await new Promise<void>((resolve, reject) => {
      heard = () => {
        if (tasks.some((task) => task.id === id && task.status === "completed")) resolve();
      };
      socket.on("close", () =>
        reject(new Error("the server closed the socket before the scan was completed")),
      );
      heard();
    });
    socket.terminate();
    return tasks
      .filter((task) => task.id === id)
      .map(({ status, progress }) => `${status} ${progress.current}/${progress.total}`);
  };
}

/** The files of the photos that a task takes, from its first to its last, read from a replay and the stream after it. */
export async function capturedPhotos(url: string, id: string): Promise<string[]> {
  const { headers } = await fetch(`${url}/latest/tasks/`);
  const epoch = headers.get("OpenScan-Epoch");
  const query = `v=1&since=0&epoch=${epoch}&ids=${id}`;
  const socket = new WebSocket(`${url.replace("http", "ws")}/latest/ws/tasks?${query}`);
  const photos: string[] = [];
  await new Promise<void>((resolve, reject) => {
    socket.on("message", (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { type: string; file: string; task: Task };
      if (message.type === "photo.captured") photos.push(message.file);
      if (message.type === "task.update" && message.task.status === "completed") resolve();
    });
    socket.on("close", () => reject(new Error("the server closed the socket before the scan was completed")));
  });
  socket.terminate();
  return photos;
}

/** What an example printed about a task, in the same words. */
export function printedSteps(id: string, lines: readonly string[]): string[] {
  return lines
    .map((line) => new RegExp(`task ${id} scan_task (\\w+ \\d+/\\d+)`).exec(line)?.[1])
    .filter((step) => step !== undefined);
}

export function isCompleted(id: string): (lines: readonly string[]) => boolean {
  return (lines) => printedSteps(id, lines).some((step) => step.startsWith("completed"));
}
