/**
 * Calls back when a page may have slept or the network may have changed: timers stood still meanwhile. Does
 * nothing outside a browser. The returned function undoes it.
 */
export function onPageWake(callback: (event: Event) => void): () => void {
  if (typeof window === "undefined" || typeof document === "undefined") return () => {};
  const sources: [EventTarget, string][] = [
    [document, "visibilitychange"],
    [window, "pageshow"],
    [window, "online"],
    [window, "offline"],
  ];
  for (const [target, type] of sources) target.addEventListener(type, callback);
  return () => {
    for (const [target, type] of sources) target.removeEventListener(type, callback);
  };
}
