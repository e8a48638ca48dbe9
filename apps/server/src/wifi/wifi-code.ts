import { ScanError } from "@openscan/protocol";

/** `SAE` is WPA3 alone; networks that speak WPA2, too, are `WPA`. */
type WifiSecurity = "WPA" | "SAE" | "WEP" | "nopass";

/** What a Wi-Fi QR code says. */
export interface WifiNetwork {
  readonly ssid: string;
  readonly security: WifiSecurity;
  /** A secret: it must reach nobody but the network. Empty for `nopass`. */
  readonly password: string;
  readonly hidden: boolean;
}

const kinds: Readonly<Record<string, WifiSecurity>> = {
  WPA: "WPA",
  WPA2: "WPA",
  "WPA/WPA2": "WPA",
  "WPA2/WPA3": "WPA",
  WPA3: "SAE",
  SAE: "SAE",
  WEP: "WEP",
  NOPASS: "nopass",
  NONE: "nopass",
  "": "nopass",
};

/** Whether a QR code's text is meant to be about a Wi-Fi network. */
export const isWifiCode = (text: string): boolean => /^WIFI:/i.test(text);

/**
 * Reads `WIFI:T:WPA;S:name;P:password;H:true;;`, its fields in any order. Messages never tell the password.
 *
 * @throws ScanError `invalid` for what is no such code or contradicts itself, `unsupported` for networks with accounts
 */
export function parseWifiCode(text: string): WifiNetwork {
  if (!isWifiCode(text)) throw new ScanError("invalid", "the QR code is not about a Wi-Fi network");
  const fields = fieldsOf(text.slice("WIFI:".length));
  const ssid = fields.get("S") ?? "";
  const password = fields.get("P") ?? "";
  const security = securityOf(fields.get("T"), password);
  requireSsid(ssid);
  requirePassword(ssid, security, password);
  return {
    ssid,
    security,
    password: security === "nopass" ? "" : password,
    hidden: /^(?:true|1|yes)$/i.test(fields.get("H") ?? ""),
  };
}

/** The fields by their upper-case names; of two with one name the first counts. */
function fieldsOf(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  // A backslash takes the special meaning of whatever follows it.
  for (const [, name = "", raw = ""] of text.matchAll(/([A-Za-z0-9]+):((?:\\[\s\S]|[^\\;])*)(?:;|$)/g)) {
    if (!fields.has(name.toUpperCase())) fields.set(name.toUpperCase(), unescaped(unquoted(raw)));
  }
  return fields;
}

/** Quotes say that what looks like hexadecimal digits is text; we take everything for text. */
function unquoted(raw: string): string {
  return /^"((?:\\[\s\S]|[^\\"])*)"$/.exec(raw)?.[1] ?? raw;
}

function unescaped(raw: string): string {
  return raw.replaceAll(/\\([\s\S])/g, "$1");
}

function securityOf(kind: string | undefined, password: string): WifiSecurity {
  if (kind === undefined) return password === "" ? "nopass" : "WPA";
  const security = kinds[kind.trim().toUpperCase()];
  if (security) return security;
  if (/EAP|ENTERPRISE|802\.1X/i.test(kind))
    throw new ScanError(
      "unsupported",
      `Wi-Fi networks with user accounts (${kind}) cannot be joined by QR code`,
    );
  throw new ScanError("invalid", `the QR code names an unknown kind of Wi-Fi security, "${kind}"`);
}

function requireSsid(ssid: string): void {
  const { length } = new TextEncoder().encode(ssid);
  if (length === 0) throw new ScanError("invalid", "the QR code names no Wi-Fi network");
  if (length > 32)
    throw new ScanError(
      "invalid",
      `the name of a Wi-Fi network has at most 32 bytes, "${ssid}" has ${length}`,
    );
  if (hasControls(ssid))
    throw new ScanError(
      "invalid",
      `the Wi-Fi network ${JSON.stringify(ssid)} has unprintable characters in its name`,
    );
}

function requirePassword(ssid: string, security: WifiSecurity, password: string): void {
  if (security === "nopass") return;
  const problem = (what: string) =>
    new ScanError("invalid", `the QR code of the ${security} network "${ssid}" has ${what}`);
  if (password === "") throw problem("no password");
  // It is handed on as one line of text.
  if (hasControls(password)) throw problem("a password with unprintable characters");
  const { length } = new TextEncoder().encode(password);
  const isKey = length === 64 && /^[\da-f]+$/i.test(password);
  if (security === "WPA" && !isKey && (length < 8 || length > 63))
    throw problem("a password that is not 8 to 63 characters long");
  if (
    security === "WEP" &&
    ![5, 13].includes(length) &&
    !(/^[\da-f]+$/i.test(password) && [10, 26].includes(length))
  )
    throw problem("a key that is not 5 or 13 characters, or 10 or 26 hexadecimal digits long");
}

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const hasControls = (text: string): boolean => /[\0-\u001f\u007f]/.test(text);
