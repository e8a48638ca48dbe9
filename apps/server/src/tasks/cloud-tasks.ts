import { ScanError, type TaskProgress } from "@openscan/protocol";
import { defineTask, parameters, type TaskContext, type TaskType } from "@openscan/tasks";
import { z } from "zod";
import { looksMasked, mask } from "../cloud/mask.js";
import { Download } from "../cloud/download.js";
import { reportWhile } from "../cloud/report-while.js";
import { type CloudParts, Upload } from "../cloud/upload.js";

export const uploadTaskType = "cloud_upload_task";
export const downloadTaskType = "cloud_download_task";

const Token = z.string().nullable().default(null);
const UploadInput = z.object({ project_name: z.string(), token: Token });
const DownloadInput = z.object({ project_name: z.string(), token: Token, remote_project: Token });

/** Both wait for the network only: no scan waits for them, and they for no scan. */
const network = { concurrency: "concurrent", lane: "network" } as const;

/** Sends a project's photos to the cloud and has it make a model of them. */
export function cloudUploadTask(parts: CloudParts): TaskType {
  const input = parameters(UploadInput);
  return defineTask({
    type: uploadTaskType,
    ...network,
    input,
    redact: (args, kwargs) => shown(input(args, kwargs)),
    run({ project_name, token }, context) {
      const upload = new Upload(project_name, usable(token, parts), parts, context);
      return reported(upload, context);
    },
  });
}

/** Fetches the model that the cloud has made of a project. */
export function cloudDownloadTask(parts: CloudParts): TaskType {
  const input = parameters(DownloadInput);
  return defineTask({
    type: downloadTaskType,
    ...network,
    input,
    redact: (args, kwargs) => shown(input(args, kwargs)),
    run({ project_name, token, remote_project }, context) {
      const order = { project: project_name, token: usable(token, parts), remote: remote_project };
      return reported(new Download(order, parts, context), context);
    },
  });
}

async function* reported(
  job: { readonly progress: TaskProgress; run(): Promise<unknown> },
  { clock }: TaskContext,
): AsyncGenerator<TaskProgress, unknown, void> {
  yield { ...job.progress };
  return yield* reportWhile(job.run(), () => job.progress, clock);
}

/** The arguments as the task shows and stores them: the token as its mask. */
function shown({ project_name, token, ...rest }: { project_name: string; token: string | null }) {
  return { args: [project_name], kwargs: { token: token === null ? null : mask(token), ...rest } };
}

/**
 * A token that was given to one task only is kept nowhere. After a restart nothing but its mask is left, which is good
 * enough when it is that of the stored token.
 *
 * @throws ScanError `conflict` when it is not
 */
function usable(token: string | null, { account }: CloudParts): string | null {
  if (token === null || !looksMasked(token)) return token;
  const stored = account.settings?.token;
  if (stored !== undefined && mask(stored) === token) return null;
  throw new ScanError(
    "conflict",
    `the token ${token} was for this task alone and is kept nowhere: start another task`,
  );
}
