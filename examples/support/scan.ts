import type { ScannerClient } from "@openscan/client-sdk";

const POINTS = 5;

/** Starts a scan of five small photos; resolves with the id of its task. */
export async function startSmallScan({ rest, api }: ScannerClient, project: string): Promise<string> {
  const cameras = await rest.get<Record<string, unknown>>("/cameras/");
  const camera = Object.keys(cameras)[0] ?? "";
  const settings = `/cameras/${encodeURIComponent(camera)}/settings`;
  await rest.request("PATCH", settings, { body: { photo_resolution: [320, 240], AF: false } });
  await api.createProject(project);
  const task = await api.startScan({ project, camera, settings: { points: POINTS } });
  return task.id;
}

/** What an example printed about a task: `["pending 0/0", "running 1/5", …]`, repetitions left out. */
export function stepsOf(id: string, lines: readonly string[]): string[] {
  return lines
    .map((line) => new RegExp(`task ${id} scan_task (\\w+ \\d+/\\d+)`).exec(line)?.[1])
    .filter((step) => step !== undefined)
    .filter((step, at, steps) => step !== steps[at - 1]);
}

export function isCompleted(id: string): (lines: readonly string[]) => boolean {
  return (lines) => stepsOf(id, lines).some((step) => step.startsWith("completed"));
}
