/**
 * Where a model itself can be had. The cloud keeps models at Dropbox, whose links lead to a page unless they ask for
 * the file, and wraps these links in ones of its own.
 */
export function directLink(link: string): string {
  const url = new URL(link);
  const wrapped = url.searchParams.get("id");
  if (
    url.hostname.includes("openscan") &&
    wrapped !== null &&
    /^https?:/.test(wrapped) &&
    URL.canParse(wrapped)
  )
    return directLink(wrapped);
  if (url.hostname === "dropbox.com" || url.hostname.endsWith(".dropbox.com"))
    url.searchParams.set("dl", "1");
  return url.href;
}
