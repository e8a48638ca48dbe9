import type { Freshness } from "@openscan/client-sdk";
import { freshnessText } from "../web/scanner.js";

export function FreshnessBadge({ freshness }: { readonly freshness: Freshness }) {
  return <span className={`freshness ${freshness.status}`}>{freshnessText(freshness)}</span>;
}
