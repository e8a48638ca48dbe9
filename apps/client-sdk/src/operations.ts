import type * as Protocol from "@openscan/protocol";

/** Every endpoint that `@openscan/protocol` exports, alone or in a group: an operation is defined there, once. */
type EndpointOf<Exported> = Exported extends Protocol.Endpoint
  ? Exported
  : Exported extends Readonly<Record<string, Protocol.Endpoint>>
    ? Exported[keyof Exported]
    : never;
type AnyEndpoint = EndpointOf<(typeof Protocol)[keyof typeof Protocol]>;

type OperationOf<E extends Protocol.Endpoint> = `${Uppercase<E["method"]>} ${E["path"]}`;

/** The endpoints by their operation. */
type Operations = { [E in AnyEndpoint as OperationOf<E>]: E };

/** What can be asked of a scanner, e.g. `"GET /tasks/{task_id}"`. */
export type Operation = keyof Operations;

/** What comes back. */
export type Reply<Op extends Operation> = Output<Operations[Op]["response"]>;

/** What has to be given with it: `params` of its path, `query` and `body`, each only where there is one. */
export type Input<Op extends Operation> = Members<"params", In<Operations[Op]["params"]>> &
  Members<"query", In<Operations[Op]["query"]>> &
  Body<In<Operations[Op]["body"]>>;

/** The arguments after the operation: none are needed when the operation needs none. */
export type Arguments<Op extends Operation, Options> =
  Partial<Input<Op>> extends Input<Op> ? [input?: Input<Op> & Options] : [input: Input<Op> & Options];

type Members<Name extends string, Value> =
  Value extends Record<string, never>
    ? unknown
    : Partial<Value> extends Value
      ? { readonly [N in Name]?: Value }
      : { readonly [N in Name]: Value };

type Body<Value> = [Value] extends [undefined]
  ? unknown
  : undefined extends Value
    ? { readonly body?: Value }
    : { readonly body: Value };

type In<Schema> = Schema extends { readonly _zod: { readonly input: infer Value } } ? Value : never;
type Output<Schema> = Schema extends { readonly _zod: { readonly output: infer Value } } ? Value : never;
