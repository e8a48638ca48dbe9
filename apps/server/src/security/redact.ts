import type { TokenOptions } from "./tokens.js";

const placeholder = "[redacted]";
const secretName = /^(?:ticket|.*token.*|.*secret|.*password|auth.*|bearer|.*key)$/i;

/** Takes the configured tokens out of a text, in each form in which a client can have sent them. */
export function redactor({
  token,
  viewToken,
  cloudToken,
}: TokenOptions & { readonly cloudToken?: string }): (text: string) => string {
  const secrets = [token, viewToken, cloudToken]
    .filter((secret) => secret !== undefined)
    // The cloud decides how long its tokens are; a short one would be found in innocent words.
    .filter((secret) => secret.length >= 8)
    .flatMap((secret) => [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64url")]);
  return (text) => secrets.reduce((rest, secret) => rest.replaceAll(secret, placeholder), text);
}

/** A request's URL for a log: what a parameter says that may be a ticket, or a token in the wrong place, is left out. */
export function redactUrl(url: string): string {
  const start = url.indexOf("?") + 1;
  if (start === 0) return url;
  const parameters = url
    .slice(start)
    .split("&")
    .map((parameter) => {
      const [name = "", value] = parameter.split(/=(.*)/s);
      return value !== undefined && secretName.test(readable(name)) ? `${name}=${placeholder}` : parameter;
    });
  return `${url.slice(0, start)}${parameters.join("&")}`;
}

/** A value that was refused, for the reply that says so: secrets are not repeated, even to whom they came from. */
export function withoutSecret(name: string, value: unknown): unknown {
  if (secretName.test(name)) return value === null ? null : placeholder;
  return typeof value === "string" ? value.replace(/(?<=\/\/)[^/@\s]*(?=@)/, placeholder) : value;
}

function readable(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}
