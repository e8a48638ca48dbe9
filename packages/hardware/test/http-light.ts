import { request } from "node:http";
import { defineLightDriver } from "@openscan/hardware";
import { z } from "zod";

/** A light on a network socket that is switched by GET /relay?turn=on|off. */
export const httpLight = defineLightDriver({
  kind: "http",
  settings: z.object({ url: z.url(), timeout_ms: z.number().positive().default(2000) }),
  open: async ({ url, timeout_ms }) => {
    const write = (on: boolean) => turn(url, on, timeout_ms);
    await write(false);
    return {
      // The socket has no pins: there is nothing to configure.
      configure: async () => {},
      write,
      close: async () => {},
    };
  },
});

function turn(url: string, on: boolean, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request(`${url}/relay?turn=${on ? "on" : "off"}`, { timeout }, (reply) => {
      reply.resume();
      if (reply.statusCode === 200) resolve();
      else reject(new Error(`${url} answered ${reply.statusCode}`));
    });
    call.on("timeout", () => call.destroy(new Error(`${url} did not answer within ${timeout} ms`)));
    call.on("error", reject);
    call.end();
  });
}
