import type { CloudStatusResponse } from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";
import type { CloudAccount } from "./account.js";
import { type Answer, RemoteCloud } from "./remote-cloud.js";

/** A page shows the answers; it does not wait for a minute. */
const timeoutMs = 10_000;

/** What the cloud says of itself and of the account. Never fails: what could not be had is told in the message. */
export async function cloudStatus(account: CloudAccount, clock: Clock): Promise<CloudStatusResponse> {
  const settings = account.shown();
  if (!account.settings) {
    const message = "Cloud unavailable: the cloud is not configured, it needs a token";
    return { status: null, token_info: null, queue_estimate: null, settings, message };
  }
  const cloud = new RemoteCloud(account.settings, clock);
  const problems: string[] = [];
  const ask = async (what: string, answer: Promise<Answer>) => {
    try {
      return await answer;
    } catch (error) {
      problems.push(`${what} unavailable: ${(error as Error).message.replaceAll(" | ", " ")}`);
      return null;
    }
  };
  const [status, token_info, queue_estimate] = await Promise.all([
    ask("Status", cloud.status({ timeoutMs })),
    ask("Token info", cloud.tokenInfo({ timeoutMs })),
    ask("Queue estimate", cloud.queueEstimate({ timeoutMs })),
  ]);
  const message = problems.length > 0 ? problems.join(" | ") : null;
  return { status, token_info, queue_estimate, settings, message };
}
