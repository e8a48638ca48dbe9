import type { DeviceDelta, DeviceStatus } from "@openscan/protocol";

type Members = Record<string, unknown>;

/** A delta of the device, applied as the specification says: first what is gone, then the new values. */
export function applyPointers(base: DeviceStatus, { set, unset }: DeviceDelta): DeviceStatus {
  const next = structuredClone(base);
  for (const pointer of unset) {
    const [parent, key] = find(next, pointer);
    delete parent[key];
  }
  for (const [pointer, value] of Object.entries(set)) {
    const [parent, key] = find(next, pointer);
    parent[key] = value;
  }
  return next;
}

function find(root: DeviceStatus, pointer: string): readonly [Members, string] {
  const keys = pointer
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = keys.pop() as string;
  return [keys.reduce((value, key) => value[key] as Members, root as unknown as Members), last];
}
