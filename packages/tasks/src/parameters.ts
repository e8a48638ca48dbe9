import { ScanError } from "@openscan/protocol";
import { z } from "zod";

/**
 * An `input` for `defineTask`: positional arguments are the members of `schema` in their order, keyword arguments
 * the members by name.
 *
 * @throws ScanError `invalid` naming the parameter
 */
export function parameters<Shape extends z.core.$ZodShape>(
  schema: z.ZodObject<Shape>,
): (args: unknown[], kwargs: Record<string, unknown>) => z.output<z.ZodObject<Shape>> {
  const names = Object.keys(schema.shape);
  return (args, kwargs) => {
    if (args.length > names.length) {
      throw new ScanError("invalid", `at most ${names.length} positional arguments, not ${args.length}`);
    }
    const positional = new Map(args.map((value, index) => [names[index] ?? "", value]));
    const twice = Object.keys(kwargs).find((name) => positional.has(name));
    if (twice) throw new ScanError("invalid", `parameter "${twice}" is given by position and by name`);
    const parsed = schema.safeParse({ ...Object.fromEntries(positional), ...kwargs });
    if (!parsed.success) {
      throw new ScanError("invalid", z.prettifyError(parsed.error), { cause: parsed.error });
    }
    return parsed.data;
  };
}
