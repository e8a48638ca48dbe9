import { type NamespaceName, namespaces } from "@openscan/protocol";
import { belowMounts } from "./mounts.js";

const socketPath = belowMounts("/ws/(\\w+)");

/** The namespace behind a WebSocket path: `/ws/tasks`, `/latest/ws/tasks`, `/api/v0.9/ws/tasks` and so on. */
export function namespaceOf(pathname: string): NamespaceName | undefined {
  const name = socketPath.exec(pathname)?.[1];
  return name !== undefined && Object.hasOwn(namespaces, name) ? (name as NamespaceName) : undefined;
}
