/**
 * Calls back when a page may have slept or the network may have changed: timers stood still meanwhile. Does
 * nothing outside a browser. The returned function undoes it.
 */
export function onPageWake(callback: (event: Event) => void): () => void {
  if (typeof window === "undefined") return () => {};
  const undo = new AbortController();
  // The first is an event of the document, and bubbles.
  for (const type of ["visibilitychange", "pageshow", "online", "offline"])
    window.addEventListener(type, callback, { signal: undo.signal });
  return () => undo.abort();
}
