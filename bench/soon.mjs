import { setTimeout as sleep } from "node:timers/promises";

const patienceMs = 300_000;

/** Rejects when `promise` does not settle within five minutes. */
export async function soon(promise, what) {
  const settled = new AbortController();
  const tooLate = async () => {
    await sleep(patienceMs, undefined, settled);
    throw new Error(`${what}: nothing happened for ${patienceMs / 1000} s`);
  };
  try {
    return await Promise.race([promise, tooLate()]);
  } finally {
    settled.abort();
  }
}
