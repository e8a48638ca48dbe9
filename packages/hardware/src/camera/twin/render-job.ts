import type { ErrorCode } from "@openscan/protocol";
import type { TwinPhoto, TwinView } from "./view.js";

/** To the render worker; it answers each job once, in order. */
export interface RenderJob {
  readonly id: number;
  readonly view: TwinView;
}

/** From the render worker. The JPEG's memory is handed over, not copied. */
export type RenderReply =
  | { readonly id: number; readonly photo: TwinPhoto }
  | { readonly id: number; readonly problem: { readonly code: ErrorCode; readonly message: string } };
