import { defineEndpoint } from "./endpoint.js";
import { ScanAddress } from "./scan.js";
import { Task } from "./task.js";

const path = "/projects/{project_name}/scans/{scan_index}/focus-stacking";

export const startFocusStacking = defineEndpoint({
  operationId: "start_focus_stacking",
  method: "post",
  path: `${path}/start`,
  params: ScanAddress,
  describes: "tasks",
  response: Task,
});
export const pauseFocusStacking = defineEndpoint({
  operationId: "pause_focus_stacking",
  method: "patch",
  path: `${path}/pause`,
  params: ScanAddress,
  describes: "tasks",
  response: Task,
});
export const resumeFocusStacking = defineEndpoint({
  operationId: "resume_focus_stacking",
  method: "patch",
  path: `${path}/resume`,
  params: ScanAddress,
  describes: "tasks",
  response: Task,
});
export const cancelFocusStacking = defineEndpoint({
  operationId: "cancel_focus_stacking",
  method: "patch",
  path: `${path}/cancel`,
  params: ScanAddress,
  describes: "tasks",
  response: Task,
});
