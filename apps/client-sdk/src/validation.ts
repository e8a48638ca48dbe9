import type { NamespaceName } from "@openscan/protocol";

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
