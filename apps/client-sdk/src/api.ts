import type { DeviceStatus, Project, ScanSettings, Task } from "@openscan/protocol";
import type { Rest } from "./rest.js";

export interface ScanOf {
  readonly project: string;
  /** Number of the scan within its project, from 1. */
  readonly index: number;
}

export type ScannerApi = ReturnType<typeof createApi>;

/** The calls that most programs need, typed; everything else goes through `rest`. */
export function createApi(rest: Rest) {
  const scan = ({ project, index }: ScanOf) => `${projectPath(project)}/scans/${index}`;
  return {
    listTasks: () => rest.get<Task[]>("/tasks/"),
    getTask: (id: string) => rest.get<Task>(`/tasks/${encodeURIComponent(id)}`),
    getDevice: () => rest.get<DeviceStatus>("/device/info"),
    createProject: (name: string, description?: string) =>
      rest.request<Project>("POST", projectPath(name), { query: { project_description: description } }),

    /** Creates the scan's task; `run_args[0]` of it is the scan with its `index`. */
    startScan: (options: { project: string; camera: string; settings?: Partial<ScanSettings> }) =>
      rest.request<Task>("POST", `${projectPath(options.project)}/scan`, {
        query: { camera_name: options.camera },
        body: options.settings ?? {},
      }),
    pauseScan: (which: ScanOf) => rest.request<Task>("PATCH", `${scan(which)}/pause`),
    resumeScan: ({ camera, ...which }: ScanOf & { readonly camera: string }) =>
      rest.request<Task>("PATCH", `${scan(which)}/resume`, { query: { camera_name: camera } }),
    cancelScan: (which: ScanOf) => rest.request<Task>("PATCH", `${scan(which)}/cancel`),

    /** Where one of a scan's photos is, e.g. for an image element. `file` is an entry of the scan's `photos`. */
    photoUrl: ({ project, index, file }: ScanOf & { readonly file: string }) =>
      rest.url(`${projectPath(project)}/${index}/photo`, { filename: file, file_only: true }),
  };
}

function projectPath(name: string): string {
  return `/projects/${encodeURIComponent(name)}`;
}
