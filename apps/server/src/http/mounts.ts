import { type ApiVersion, apiVersions, latestVersion } from "@openscan/protocol";

/** Every prefix under which the API answers, and the version behind it. */
export const mounts: Readonly<Record<string, ApiVersion>> = {
  ...Object.fromEntries(apiVersions.map((version) => [version === "next" ? "next" : `v${version}`, version])),
  latest: latestVersion,
};

const prefixes = Object.keys(mounts)
  .map((mount) => mount.replace(".", "\\."))
  .join("|");

/** Matches a path that answers with and without a mount, and each of them behind `/api` too. */
export function belowMounts(path: string): RegExp {
  return new RegExp(`^(?:/api)?(?:/(?:${prefixes}))?${path}$`);
}
