import { createHash, timingSafeEqual } from "node:crypto";

/** `view` may read and listen, `control` may also change. */
export type Scope = "view" | "control";

export interface TokenOptions {
  readonly token?: string;
  readonly viewToken?: string;
}

export const digest = (secret: string): Buffer => createHash("sha256").update(secret).digest();

/** The configured tokens. Digests are compared, so that the time taken tells nothing of a token, not even its length. */
export class Tokens {
  readonly #digests: readonly (readonly [Scope, Buffer])[];

  constructor({ token, viewToken }: TokenOptions) {
    const configured = { control: token, view: viewToken };
    this.#digests = (["control", "view"] as const).flatMap((scope) => {
      const secret = configured[scope];
      return secret === undefined ? [] : [[scope, digest(secret)] as const];
    });
  }

  /** What is configured; nothing means that everybody may do everything. */
  get scopes(): readonly Scope[] {
    return this.#digests.map(([scope]) => scope);
  }

  scopeOf(token: string): Scope | undefined {
    const given = digest(token);
    return this.#digests.filter(([, expected]) => timingSafeEqual(given, expected))[0]?.[0];
  }
}
