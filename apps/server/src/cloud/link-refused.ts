import { CloudError, isTransientStatus } from "./cloud-error.js";

/** A link does not lead anywhere, or not any more: another one is needed. */
export class LinkRefused extends CloudError {}

const refused: readonly number[] = [401, 403, 404, 409, 410];

/** What the status of a link's answer means that is not a good one. */
export function refusal(status: number, what: string): CloudError {
  const message = `the cloud refused ${what}: ${status}`;
  if (refused.includes(status)) return new LinkRefused(message, { isTransient: false, status });
  return new CloudError(message, { isTransient: isTransientStatus(status), status });
}
