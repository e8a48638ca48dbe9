import type { NamespaceName } from "@openscan/protocol";
import type { Message } from "./feed.js";

/** What of a zod schema the client calls; any validator with this method will do. */
interface Schema {
  safeParse(value: unknown): { readonly success: boolean; readonly error?: unknown };
}
type Schemas = Readonly<Record<string, { readonly schema: Schema }>>;

/** The messages of the namespaces, as `namespaces` of `@openscan/protocol` defines them. */
export type Validation = Readonly<
  Partial<
    Record<
      NamespaceName,
      {
        readonly events: Schemas;
        readonly derived: Schemas;
        readonly snapshotSchema: Schema;
        readonly legacyEvent: Schema;
      }
    >
  >
>;

/** @throws TypeError when a message of a known type does not fit its schema */
export function assertValid(message: Message, definition: Validation[NamespaceName], legacy: boolean): void {
  if (!definition) return;
  const { events, derived, snapshotSchema, legacyEvent } = definition;
  const known = (events[message.type] ?? derived[message.type])?.schema;
  const schema = message["snapshot"] === true ? snapshotSchema : known && legacy ? legacyEvent : known;
  const result = schema?.safeParse(message);
  if (result?.success === false) throw new TypeError(`no valid ${message.type}`, { cause: result.error });
}
