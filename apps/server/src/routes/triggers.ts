import type { Device } from "@openscan/hardware";
import { fireTrigger, getTrigger, listTriggers, triggerSettings } from "@openscan/protocol";
import { type Route, route } from "../http/route.js";
import { settingsRoutes } from "./settings.js";
import { statuses } from "./statuses.js";

export function triggerRoutes(device: Device): Route[] {
  return [
    route(listTriggers, () => statuses(device.triggers)),
    route(getTrigger, ({ params }) => device.trigger(params.trigger_name).status()),
    route(fireTrigger, ({ params, body }, { signal }) =>
      device.trigger(params.trigger_name).fire(body, signal),
    ),
    ...settingsRoutes(triggerSettings, (name) => device.trigger(name).settings),
  ];
}
