import {
  createProject,
  deleteProject,
  getProject,
  getProjectThumbnail,
  listProjects,
  listProjectTasks,
} from "@openscan/protocol";
import type { TaskManager } from "@openscan/tasks";
import { JsonText } from "../http/json-text.js";
import { type Route, route } from "../http/route.js";
import type { ProjectStore } from "../projects/project-store.js";
import { projectOf, type Scans } from "../projects/scans.js";
import { sendFile } from "./send-file.js";

interface Parts {
  readonly store: ProjectStore;
  readonly scans: Scans;
  readonly tasks: TaskManager;
}

export function projectRoutes({ store, scans, tasks }: Parts): Route[] {
  return [
    route(listProjects, () => new JsonText(store.listJson())),
    route(getProject, ({ params }) => store.get(params.project_name)),
    route(createProject, ({ params, query }) => store.create(params.project_name, query.project_description)),
    route(deleteProject, async ({ params }) => {
      await scans.deleteProject(params.project_name);
      return {
        success: true,
        message: `Project ${params.project_name} deleted`,
        deleted: [params.project_name],
      };
    }),
    route(getProjectThumbnail, async ({ params }, { res }) =>
      sendFile(res, await store.findThumbnail(params.project_name)),
    ),
    route(listProjectTasks, ({ params }) => {
      const { name } = store.get(params.project_name);
      return tasks.list().filter((task) => projectOf(task) === name);
    }),
  ];
}
