import { ScanError } from "@openscan/protocol";
import type { Clock } from "@openscan/runtime";

export const payloadLifeMs = 90_000;
const MOST_PAYLOADS = 8;
const MOST_BYTES = 256 * 2 ** 20;

export interface PhotoPayload {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly filename: string;
}

interface Kept {
  readonly camera: string;
  readonly payload: PhotoPayload;
  readonly cancelExpiry: () => void;
}

interface PhotoPayloadsOptions {
  readonly clock: Clock;
  /** 32 hexadecimal digits that nobody can guess. */
  readonly newId: () => string;
}

/** Photos of all cameras whose metadata was sent first: for a while their bytes can be fetched, as often as needed. */
export class PhotoPayloads {
  readonly #clock: Clock;
  readonly #newId: () => string;
  /** In the order in which they expire. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  constructor({ clock, newId }: PhotoPayloadsOptions) {
    this.#clock = clock;
    this.#newId = newId;
  }

  /**
   * Keeps a photo; those that would expire first make room for it.
   *
   * @returns its id
   * @throws ScanError `storage` for one that alone is too large
   */
  keep(camera: string, payload: PhotoPayload): string {
    const { length } = payload.bytes;
    if (length > MOST_BYTES) {
      throw new ScanError(
        "storage",
        `${payload.filename} has ${length} bytes, and at most ${MOST_BYTES} are kept: ask for it without metadata`,
      );
    }
    for (const id of this.#kept.keys()) {
      if (this.#kept.size < MOST_PAYLOADS && this.#bytes + length <= MOST_BYTES) break;
      this.#forget(id);
    }
    const id = this.#newId();
    const cancelExpiry = this.#clock.after(payloadLifeMs, () => this.#forget(id));
    this.#kept.set(id, { camera, payload, cancelExpiry });
    this.#bytes += length;
    return id;
  }

  /** @throws ScanError `not_found` when there is none of this camera, or not any more */
  find(camera: string, id: string): PhotoPayload {
    const kept = this.#kept.get(id);
    if (kept?.camera === camera) return kept.payload;
    throw new ScanError(
      "not_found",
      `camera ${JSON.stringify(camera)} has no photo ${JSON.stringify(id)} (any more)`,
    );
  }

  /** Forgets everything. */
  close(): void {
    for (const id of this.#kept.keys()) this.#forget(id);
  }

  #forget(id: string): void {
    const kept = this.#kept.get(id);
    if (!kept) return;
    kept.cancelExpiry();
    this.#kept.delete(id);
    this.#bytes -= kept.payload.bytes.length;
  }
}
