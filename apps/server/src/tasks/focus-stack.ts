import type { CameraSettings, ScanSettings } from "@openscan/protocol";
import type { ScanCamera } from "./scanner.js";

/** Focus positions in dioptres, evenly over the range, which may be reversed; `null` leaves the focus as it is. */
export function focusPositions(settings: ScanSettings): (number | null)[] {
  const {
    focus_stacks: stacks,
    focus_range: [first, last],
  } = settings;
  if (stacks <= 1) return [null];
  return Array.from({ length: stacks }, (_, index) => first + (index * (last - first)) / (stacks - 1));
}

/** Takes the focus of a camera over, and gives it back as it was. */
export class FocusControl {
  readonly #camera: ScanCamera;
  #before: Pick<CameraSettings, "AF" | "manual_focus"> | undefined;

  constructor(camera: ScanCamera) {
    this.#camera = camera;
  }

  async focusAt(dioptres: number): Promise<void> {
    const { AF, manual_focus } = this.#camera.settings.get();
    this.#before ??= { AF, manual_focus };
    if (AF !== false) await this.#set({ AF: false });
    await this.#set({ manual_focus: dioptres });
  }

  /** Autofocus first: while it is off, setting the focus moves the lens. */
  async restore(): Promise<void> {
    if (!this.#before) return;
    const { AF, manual_focus } = this.#before;
    await this.#set({ AF });
    await this.#set({ manual_focus });
  }

  /** Replaces, because a patch cannot set back to null. */
  async #set(patch: Partial<CameraSettings>): Promise<void> {
    await this.#camera.settings.replace({ ...this.#camera.settings.get(), ...patch });
  }
}
