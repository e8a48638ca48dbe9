/** A name that no project in the cloud has yet, and that still tells whose photos these are. */
export function remoteName(project: string, nowMs: number): string {
  const readable = project.replaceAll(/[^A-Za-z0-9_-]/g, "_").replaceAll(/^_+|_+$/g, "");
  return `${readable || "project"}-${nowMs}.zip`;
}
