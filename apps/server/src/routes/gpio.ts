import type { Device } from "@openscan/hardware";
import { getPin, listPins, setPin, togglePin } from "@openscan/protocol";
import { type Route, route } from "../http/route.js";

export function gpioRoutes({ gpio }: Device): Route[] {
  return [
    route(listPins, () => {
      const { outputs, buttons } = gpio.list();
      return { output_pins: outputs, buttons };
    }),
    route(getPin, ({ params }) => gpio.read(params.pin_id)),
    route(setPin, ({ params, query }) => gpio.set(params.pin_id, query.status)),
    route(togglePin, ({ params }) => gpio.toggle(params.pin_id)),
  ];
}
