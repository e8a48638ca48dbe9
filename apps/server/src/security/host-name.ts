import { isIPv4, isIPv6 } from "node:net";

const label = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const dnsName = new RegExp(`^${label}(?:\\.${label})*\\.?$`);
/** What a URL parser would read as an IPv4 address in another spelling: `127.1`, `0x7f.1`, `2130706433`. */
const endsInNumber = /(?:^|\.)(?:\d+|0x[\da-f]*)\.?$/;

/**
 * The host of a `Host` header or an authority, in one spelling: lower case, without port, brackets, IPv6 zone or the
 * dot that ends an absolute name. `undefined` for whatever a browser would never send: user names, other spellings
 * of addresses, characters outside of ASCII. The dot of a single label stays, because `com.` is a public name.
 */
export function parseHost(authority: string): string | undefined {
  const { address, name } =
    /^(?:\[(?<address>[^[\]]+)\]|(?<name>[^:[\]]+))(?::\d{1,5})?$/.exec(authority)?.groups ?? {};
  if (address !== undefined) {
    const plain = address.replace(/%[\w.-]+$/, "").toLowerCase();
    return isIPv6(plain) ? plain : undefined;
  }
  const host = name?.toLowerCase().replace(/^(localhost|.+\..*[^.])\.$/, "$1");
  if (host === undefined || host.length > 253) return undefined;
  if (isIPv4(host)) return host;
  return dnsName.test(host) && !endsInNumber.test(host) ? host : undefined;
}

/** The host of an origin that a web page can have, `https://name:port`; `undefined` for `null` and other schemes. */
export function hostOfOrigin(origin: string): string | undefined {
  const authority = /^https?:\/\/([^/?#]+)$/i.exec(origin)?.[1];
  return authority === undefined ? undefined : parseHost(authority);
}
