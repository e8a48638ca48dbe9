/** What of a secret may be shown, so that its owner knows which it is: at most its last four characters. */
export function mask(secret: string): string {
  const characters = [...secret];
  if (characters.length === 0) return "(empty)";
  return characters.length <= 4 ? "***" : `***${characters.slice(-4).join("")}`;
}

/** Whether somebody who was shown a mask has sent it back in place of the secret. */
export function looksMasked(text: string): boolean {
  return text.startsWith("***");
}

const tokenParameter = /(token=)([^&\s"'<>]+)/gi;
const secretMember = /token$|password|secret/i;

/** Takes secrets out of what is shown, logged or stored: of texts, and of whole JSON values. */
export interface Masking {
  text(text: string): string;
  value<T>(value: T): T;
}

/**
 * Masks these secrets, in the forms in which an answer may repeat them, and whatever looks like a token anyway.
 *
 * @param secrets those of less than four characters are too likely to be part of an innocent word
 */
export function masking(secrets: readonly string[]): Masking {
  const hidden = secrets
    .filter((secret) => secret.length >= 4)
    .flatMap((secret) =>
      [...new Set([secret, encodeURIComponent(secret)])].map((form) => [form, mask(secret)] as const),
    )
    .toSorted(([a], [b]) => b.length - a.length);
  const text = (shown: string) =>
    hidden.reduce(
      (rest, [secret, masked]) => rest.replaceAll(secret, masked),
      shown.replaceAll(
        tokenParameter,
        (_, name: string, token: string) => name + (looksMasked(token) ? token : mask(token)),
      ),
    );
  const value = (shown: unknown): unknown => {
    if (typeof shown === "string") return text(shown);
    if (Array.isArray(shown)) return shown.map(value);
    if (typeof shown !== "object" || shown === null) return shown;
    return Object.fromEntries(
      Object.entries(shown).map(([name, member]) => [
        text(name),
        secretMember.test(name) && typeof member === "string" && !looksMasked(member)
          ? mask(member)
          : value(member),
      ]),
    );
  };
  return { text, value: <T>(shown: T) => value(shown) as T };
}
