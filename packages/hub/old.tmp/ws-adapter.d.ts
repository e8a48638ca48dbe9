import { type Server } from "node:http";
import type { NamespaceName } from "@openscan/protocol";
import type { Hub } from "./hub.js";
export interface AttachOptions {
  /** The namespace that a path (without query) leads to. */
  readonly route: (pathname: string) => NamespaceName | undefined;
}
/**
 * Answers the server's WebSocket upgrades: paths that `route` knows lead into `hub`, others get 404. Offers of
 * another protocol are declined.
 *
 * @returns undoes it; connections that exist stay until the hub closes
 */
export declare function attachHub(server: Server, hub: Hub, { route }: AttachOptions): () => void;
//# sourceMappingURL=ws-adapter.d.ts.map
