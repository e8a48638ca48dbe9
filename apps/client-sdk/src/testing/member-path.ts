/** `["a", "b"], 1` as `{ a: { b: 1 } }`. */
export function nested(path: readonly string[], value: unknown): unknown {
  return path.reduceRight((inner, key) => ({ [key]: inner }), value);
}

/** A JSON Pointer as the dotted path of `changed`: `/motors/rotor/angle` as `motors.rotor.angle`. */
export function dotted(pointer: string): string {
  const members = pointer.slice(1).split("/");
  return members.map((member) => member.replaceAll("~1", "/").replaceAll("~0", "~")).join(".");
}
