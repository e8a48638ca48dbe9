import {
  cancelFocusStacking,
  pauseFocusStacking,
  resumeFocusStacking,
  startFocusStacking,
} from "@openscan/protocol";
import { type Route, route } from "../http/route.js";
import type { Stackings } from "../projects/stackings.js";

export function focusStackingRoutes(stackings: Stackings): Route[] {
  return [
    route(startFocusStacking, ({ params }) => stackings.start(params.project_name, params.scan_index)),
    route(pauseFocusStacking, ({ params }) => stackings.pause(params.project_name, params.scan_index)),
    route(resumeFocusStacking, ({ params }) => stackings.resume(params.project_name, params.scan_index)),
    route(cancelFocusStacking, ({ params }) => stackings.cancel(params.project_name, params.scan_index)),
  ];
}
