/** To the thread that reads QR codes. */
export interface QrJob {
  readonly id: number;
  readonly jpeg: Uint8Array;
}

export type QrReply =
  | { readonly id: number; readonly texts: string[] }
  | { readonly id: number; readonly problem: string };
