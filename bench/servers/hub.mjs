import { attachHub, Hub } from "@openscan/hub";
import { silentLogger, systemClock } from "@openscan/runtime";
import { deviceStatus } from "../device-status.mjs";

/** `@openscan/hub` as the product runs it; only the limit of connections is raised. */
export function open(server) {
  let { device } = deviceStatus(0);
  const hub = new Hub({
    clock: systemClock,
    log: silentLogger,
    server: { name: "bench", version: "0.0.0" },
    state: { tasks: () => [], device: () => device },
    limits: { connections: 100_000 },
  });
  attachHub(server, hub, { route: () => "device" });
  return (event) => {
    device = event.device;
    hub.publish("device", event);
  };
}
