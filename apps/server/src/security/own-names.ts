import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { Clock } from "@openscan/runtime";
import { parseHost } from "./host-name.js";

/** The network may come up, and the machine be renamed, after we have started. */
const maxAgeMs = 10_000;

export interface NameSources {
  readonly clock: Clock;
  readonly hostname?: () => string;
  /** The text of `/etc/resolv.conf`. */
  readonly resolverConfiguration?: () => string;
}

/**
 * The names of this machine: its host name, and that name in the network's own search domains, which is how routers
 * hand it out (`openscan.fritz.box`). A name that the machine already has cannot be somebody's trap for it.
 */
export class OwnNames {
  readonly #clock: Clock;
  readonly #hostname: () => string;
  readonly #resolverConfiguration: () => string;
  #names: ReadonlySet<string> = new Set();
  #readAt = Number.NEGATIVE_INFINITY;

  constructor({
    clock,
    hostname: name = hostname,
    resolverConfiguration = readResolverConfiguration,
  }: NameSources) {
    this.#clock = clock;
    this.#hostname = name;
    this.#resolverConfiguration = resolverConfiguration;
  }

  has(host: string): boolean {
    const now = this.#clock.monotonic();
    if (now - this.#readAt > maxAgeMs) {
      this.#names = ownNames(this.#hostname(), this.#resolverConfiguration());
      this.#readAt = now;
    }
    return this.#names.has(host);
  }
}

function ownNames(machine: string, configuration: string): ReadonlySet<string> {
  const [first = ""] = machine.split(".");
  const domains = [...configuration.matchAll(/^[ \t]*(?:search|domain)[ \t]+(.+)$/gm)].flatMap(
    ([, list = ""]) => list.trim().split(/\s+/),
  );
  const names = [machine, ...domains.map((domain) => `${first}.${domain}`)];
  return new Set(names.flatMap((name) => parseHost(name) ?? []));
}

function readResolverConfiguration(): string {
  try {
    return readFileSync("/etc/resolv.conf", "utf8");
  } catch {
    return ""; // not every system has one
  }
}
