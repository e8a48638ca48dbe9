import { BlockList, isIPv4, isIPv6 } from "node:net";

// BlockList reads an IPv4-mapped IPv6 address as the IPv4 address in it.
const localNetworks = new BlockList();
localNetworks.addSubnet("127.0.0.0", 8, "ipv4");
localNetworks.addSubnet("10.0.0.0", 8, "ipv4");
localNetworks.addSubnet("172.16.0.0", 12, "ipv4");
localNetworks.addSubnet("192.168.0.0", 16, "ipv4");
localNetworks.addSubnet("169.254.0.0", 16, "ipv4");
localNetworks.addSubnet("100.64.0.0", 10, "ipv4"); // carrier-grade NAT, and what Tailscale hands out
localNetworks.addAddress("::1", "ipv6");
localNetworks.addSubnet("fc00::", 7, "ipv6");
localNetworks.addSubnet("fe80::", 10, "ipv6");

const localSuffixes = [".localhost", ".local", ".lan"];

/**
 * Whether a parsed host can only be something in our own network: a private, link-local or loopback address, or a
 * name that public DNS does not resolve, so that nobody outside can point it at us. A single label is such a name:
 * it comes from a hosts file, the router, mDNS or NetBIOS, and ICANN forbids addresses on top-level domains.
 */
export function isLocalHost(host: string): boolean {
  if (isIPv4(host)) return localNetworks.check(host, "ipv4");
  if (isIPv6(host)) return localNetworks.check(host, "ipv6");
  return !host.includes(".") || localSuffixes.some((suffix) => host.endsWith(suffix));
}
