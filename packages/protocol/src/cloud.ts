import { z } from "zod";
import { defineEndpoint } from "./endpoint.js";
import { Project } from "./project.js";
import { Task } from "./task.js";

/** The account on a server that makes models of photos. */
export const CloudSettings = z.object({
  user: z.string().default("openscan"),
  password: z.string().default("free"),
  token: z.string(),
  host: z
    .url({ protocol: /^https?$/, error: "must be an http or https URL" })
    .min(1)
    .max(2083)
    .refine((host) => !/[@?#]/.test(host), "must be a URL without user, password, query and fragment")
    .default("http://openscanfeedback.dnsuser.de:1334"),
  split_size: z.int().min(1).default(200_000_000).describe("bytes of one part of an upload"),
});
export type CloudSettings = z.output<typeof CloudSettings>;

/** What the remote server says, as it says it, without tokens. */
const RemoteReply = z.record(z.string(), z.unknown()).nullable().default(null);

export const CloudSettingsResponse = z.object({
  settings: RemoteReply.describe("user, password and token end in their last four characters at most"),
  source: z.string().nullable().default(null).describe("persistent or environment"),
  persisted: z.boolean().default(false),
});
export type CloudSettingsResponse = z.output<typeof CloudSettingsResponse>;

export const CloudStatusResponse = z.object({
  status: RemoteReply,
  token_info: RemoteReply,
  queue_estimate: RemoteReply,
  settings: CloudSettingsResponse,
  message: z.string().nullable().default(null).describe("what failed, as `what: reason`, joined by ` | `"),
});
export type CloudStatusResponse = z.output<typeof CloudStatusResponse>;

export const CloudProjectStatus = z.object({
  project: Project,
  remote_project_name: z.string().nullable().default(null),
  remote_info: RemoteReply,
  tasks: z.array(Task).default([]).meta({ default: undefined, description: "its uploads" }),
  message: z.string().nullable().default(null),
});
export type CloudProjectStatus = z.output<typeof CloudProjectStatus>;

const ProjectAddress = z.object({ project_name: z.string() });
const tokenOverride = z.string().nullable().default(null).describe("instead of the stored token");

export const getCloudSettings = defineEndpoint({
  operationId: "get_cloud_settings",
  method: "get",
  path: "/cloud/settings",
  response: CloudSettingsResponse,
});
/** A user, password or token that is the mask of the stored one leaves that as it is. */
export const updateCloudSettings = defineEndpoint({
  operationId: "update_cloud_settings",
  method: "post",
  path: "/cloud/settings",
  body: CloudSettings,
  response: CloudSettingsResponse,
});
export const deleteCloudSettings = defineEndpoint({
  operationId: "delete_cloud_settings",
  method: "delete",
  path: "/cloud/settings",
  response: CloudSettingsResponse,
});
export const getCloudStatus = defineEndpoint({
  operationId: "get_cloud_status",
  method: "get",
  path: "/cloud/status",
  response: CloudStatusResponse,
});
export const listCloudProjects = defineEndpoint({
  operationId: "list_cloud_projects",
  method: "get",
  path: "/cloud/projects",
  response: z.array(CloudProjectStatus),
});
export const getCloudProject = defineEndpoint({
  operationId: "get_cloud_project",
  method: "get",
  path: "/cloud/projects/{project_name}",
  params: ProjectAddress,
  response: CloudProjectStatus,
});
/** Removes the project from the remote server, so that it can be uploaded again; nothing of the local one. */
export const resetCloudProject = defineEndpoint({
  operationId: "reset_cloud_project",
  method: "delete",
  path: "/cloud/projects/{project_name}",
  params: ProjectAddress,
  response: z.record(z.string(), z.unknown()),
});
export const downloadCloudProject = defineEndpoint({
  operationId: "download_project_from_cloud",
  method: "post",
  path: "/cloud/projects/{project_name}/download",
  params: ProjectAddress,
  query: z.object({ token_override: tokenOverride, remote_project: z.string().nullable().default(null) }),
  describes: "tasks",
  response: Task,
});
export const uploadProject = defineEndpoint({
  operationId: "upload_project_to_cloud",
  method: "post",
  path: "/projects/{project_name}/upload",
  params: ProjectAddress,
  query: z.object({ token_override: tokenOverride }),
  describes: "tasks",
  response: Task,
});
