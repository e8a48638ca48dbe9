import type { settingsEndpoints } from "@openscan/protocol";
import type { z } from "zod";
import { lenient } from "../http/lenient.js";
import { type Route, route } from "../http/route.js";

interface Settings<T> {
  get(): T;
  replace(input: unknown): Promise<T>;
  update(patch: Record<string, unknown>): Promise<T>;
}

/** Read, replace and update for the settings of one kind of component. */
export function settingsRoutes<Schema extends z.ZodType<object>>(
  endpoints: ReturnType<typeof settingsEndpoints<Schema>>,
  find: (name: string) => Settings<z.output<Schema>>,
): Route[] {
  return [
    route(endpoints.get, ({ params }) => find(params.name).get()),
    route(endpoints.replace, ({ params, body }) => find(params.name).replace(body)),
    route(endpoints.update, ({ params, body }) => {
      const settings = find(params.name);
      const whole = lenient(endpoints.replace.body, { ...settings.get(), ...body }) as Record<
        string,
        unknown
      >;
      return settings.update(Object.fromEntries(Object.keys(body).map((key) => [key, whole[key]])));
    }),
  ];
}
