import type { Device } from "@openscan/hardware";
import {
  dimLight,
  getLight,
  lightSettings,
  listLights,
  toggleLight,
  turnOffLight,
  turnOnLight,
} from "@openscan/protocol";
import { type Route, route } from "../http/route.js";
import { settingsRoutes } from "./settings.js";
import { statuses } from "./statuses.js";

export function lightRoutes(device: Device): Route[] {
  type Switch = typeof turnOnLight | typeof turnOffLight | typeof toggleLight;
  const flip = (endpoint: Switch, verb: "turnOn" | "turnOff" | "toggle") =>
    route(endpoint, async ({ params }) => {
      const light = device.light(params.light_name);
      await light[verb]();
      return light.status();
    });
  return [
    route(listLights, () => statuses(device.lights)),
    route(getLight, ({ params }) => device.light(params.light_name).status()),
    flip(turnOnLight, "turnOn"),
    flip(turnOffLight, "turnOff"),
    flip(toggleLight, "toggle"),
    route(dimLight, ({ params, query, body }) => device.light(params.light_name).dim(body ?? query.value)),
    ...settingsRoutes(lightSettings, (name) => device.light(name).settings),
  ];
}
