import type { settingsEndpoints } from "@openscan/protocol";
import type { z } from "zod";
import { type Route, route } from "../http/route.js";

interface Settings<T> {
  get(): T;
  replace(input: unknown): Promise<T>;
  update(patch: Record<string, unknown>): Promise<T>;
}

/** Read, replace and update for the settings of one kind of component. */
export function settingsRoutes<Schema extends z.ZodType>(
  endpoints: ReturnType<typeof settingsEndpoints<Schema>>,
  find: (name: string) => Settings<z.output<Schema>>,
): Route[] {
  return [
    route(endpoints.get, ({ params }) => find(params.name).get()),
    route(endpoints.replace, ({ params, body }) => find(params.name).replace(body)),
    route(endpoints.update, ({ params, body }) => find(params.name).update(body)),
  ];
}
