import {
  cancelExternalTriggerRun,
  createExternalTriggerRun,
  getExternalTriggerRun,
  getExternalTriggerRunPath,
  listExternalTriggerRuns,
  pauseExternalTriggerRun,
  resumeExternalTriggerRun,
} from "@openscan/protocol";
import type { ExternalTriggerRuns } from "../external-trigger/runs.js";
import { type Route, route } from "../http/route.js";

export function externalTriggerRoutes(runs: ExternalTriggerRuns): Route[] {
  return [
    route(listExternalTriggerRuns, () => runs.list()),
    route(createExternalTriggerRun, ({ body }) => runs.create(body)),
    route(getExternalTriggerRun, ({ params }) => runs.get(params.task_id)),
    route(getExternalTriggerRunPath, ({ params }) => runs.path(params.task_id)),
    route(cancelExternalTriggerRun, ({ params }) => runs.cancel(params.task_id)),
    route(pauseExternalTriggerRun, ({ params }) => runs.pause(params.task_id)),
    route(resumeExternalTriggerRun, ({ params }) => runs.resume(params.task_id)),
  ];
}
