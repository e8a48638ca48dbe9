import { z } from "zod";
import { defineEndpoint } from "./endpoint.js";
import { DeleteResponse, Timestamp } from "./scalars.js";
import { Scan } from "./scan.js";
import { Task } from "./task.js";

export const Project = z.object({
  name: z.string(),
  path: z.string().describe("absolute folder on the server"),
  created: Timestamp,
  scans: z.record(z.string(), Scan).describe("by folder name, e.g. scan01"),
  description: z.string().nullable().default(null),
  uploaded: z.boolean().default(false),
  cloud_project_name: z.string().nullable().default(null),
  downloaded: z.boolean().default(false),
});
export type Project = z.output<typeof Project>;

// biome-ignore format: one rule a line reads better
const windowsDevice = /^(con|prn|aux|nul|com[1-9]|lpt[1-9])$/i;

/**
 * A project's name is its folder's name, so it must be one on every system: 1–150 code points (NFC) of letters,
 * digits, spaces and `_ - . '`, with no space or dot at either end and no Windows device name.
 */
export const ProjectName = z
  .string()
  .overwrite((name) => name.normalize("NFC"))
  .refine((name) => [...name].length >= 1 && [...name].length <= 150, "must have 1 to 150 characters")
  .refine(
    (name) => /^[\p{L}\p{N}\p{Zs}_\-.']*$/u.test(name),
    "may hold letters, digits, spaces and _ - . ' only",
  )
  .refine((name) => !/^[\p{Zs}.]|[\p{Zs}.]$/u.test(name), "must not start or end with a space or a dot")
  .refine((name) => !windowsDevice.test(name), "must not be a Windows device name");
export type ProjectName = z.output<typeof ProjectName>;

const ProjectAddress = z.object({ project_name: z.string() });

export const listProjects = defineEndpoint({
  operationId: "get_projects",
  method: "get",
  path: "/projects/",
  response: z.record(z.string(), Project),
});
export const getProject = defineEndpoint({
  operationId: "get_project",
  method: "get",
  path: "/projects/{project_name}",
  params: ProjectAddress,
  response: Project,
});
export const createProject = defineEndpoint({
  operationId: "new_project",
  method: "post",
  path: "/projects/{project_name}",
  params: ProjectAddress,
  query: z.object({ project_description: z.string().nullable().default("") }),
  response: Project,
});
export const deleteProject = defineEndpoint({
  operationId: "delete_project",
  method: "delete",
  path: "/projects/{project_name}",
  params: ProjectAddress,
  response: DeleteResponse,
});
export const getProjectThumbnail = defineEndpoint({
  operationId: "get_project_thumbnail",
  method: "get",
  path: "/projects/{project_name}/thumbnail",
  params: ProjectAddress,
  media: "image/jpeg",
});
/** Every task that belongs to the project, newest last. New here: the older backend has no such route. */
export const listProjectTasks = defineEndpoint({
  operationId: "get_project_tasks",
  method: "get",
  path: "/projects/{project_name}/tasks",
  params: ProjectAddress,
  describes: "tasks",
  response: z.array(Task),
});
