import {
  deleteCloudSettings,
  downloadCloudProject,
  getCloudProject,
  getCloudSettings,
  getCloudStatus,
  listCloudProjects,
  resetCloudProject,
  updateCloudSettings,
  uploadProject,
} from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";
import type { CloudAccount } from "../cloud/account.js";
import type { CloudProjects } from "../cloud/cloud-projects.js";
import { cloudStatus } from "../cloud/cloud-status.js";
import { type Route, route } from "../http/route.js";

interface Parts {
  readonly account: CloudAccount;
  readonly projects: CloudProjects;
  readonly clock: Clock;
  /** Tells the user's settings that there is no cloud any more. */
  readonly disable: () => Promise<unknown>;
}

export function cloudRoutes({ account, projects, clock, disable }: Parts): Route[] {
  return [
    route(getCloudSettings, async () => {
      await account.settled();
      return account.shown();
    }),
    route(updateCloudSettings, ({ body }) => account.replace(body)),
    route(deleteCloudSettings, async () => {
      const shown = await account.remove();
      await disable();
      return shown;
    }),
    route(getCloudStatus, () => cloudStatus(account, clock)),
    route(listCloudProjects, () => projects.list()),
    route(getCloudProject, ({ params }) => projects.get(params.project_name)),
    route(resetCloudProject, ({ params }) => projects.reset(params.project_name)),
    route(downloadCloudProject, ({ params, query }) =>
      projects.download(params.project_name, query.token_override, query.remote_project),
    ),
    route(uploadProject, ({ params, query }) => projects.upload(params.project_name, query.token_override)),
  ];
}
