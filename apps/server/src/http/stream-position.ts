import type { StreamPosition } from "@openscan/hub";
import type { Endpoint, NamespaceName } from "@openscan/protocol";
import type { Response } from "express";

const epochHeader = "OpenScan-Epoch";
const seqHeader = "OpenScan-Seq";
/** What pages of other origins may read of a reply. */
export const exposedHeaders = `${epochHeader}, ${seqHeader}`;

/**
 * Says in a reply where its stream stands. To be called before the state is read: who resumes the stream from there
 * may hear of something twice, but misses nothing.
 */
export function tellPosition(
  res: Response,
  { describes }: Endpoint,
  position: (namespace: NamespaceName) => StreamPosition,
): void {
  if (describes === undefined) return;
  const { epoch, seq } = position(describes);
  res.set({ [epochHeader]: epoch, [seqHeader]: String(seq) });
}
