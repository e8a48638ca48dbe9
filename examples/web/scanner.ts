import { createScannerClient, type Freshness } from "@openscan/client-sdk";

/** Opened as `?scanner=http://openscan.local:8000`. */
export const scanner = createScannerClient({
  url: new URLSearchParams(location.search).get("scanner") ?? "http://localhost:8000",
});

/** What a page should say beside a state, so that nobody takes an old one for the present. */
export function freshnessText(freshness: Freshness): string {
  if (freshness.status !== "stale") return freshness.status;
  return `as of ${Math.round(freshness.ageMs / 1000)} s ago`;
}
