/** The statuses of all components of one kind by name, in the order of the device configuration. */
export function statuses<Status>(
  components: ReadonlyMap<string, { status(): Status }>,
): Record<string, Status> {
  return Object.fromEntries([...components].map(([name, component]) => [name, component.status()]));
}
