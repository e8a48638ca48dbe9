/** Opcodes of RFC 6455, section 5.2. */
export const opcodes = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** An unfragmented frame as a server sends it or, with a `mask`, a client. */
export function encodeFrame(opcode: number, payload: Buffer | string = "", mask?: Buffer): Buffer {
  const body = Buffer.from(payload);
  const { length } = body;
  const header = length < 126 ? [length] : length < 65_536 ? [126, length >> 8, length & 255] : undefined;
  if (!header) throw new Error(`a frame of ${length} bytes is not needed here`);
  header[0] = (header[0] as number) | (mask ? 0x80 : 0);
  if (mask) for (let i = 0; i < length; i++) body[i] = (body[i] as number) ^ (mask[i & 3] as number);
  return Buffer.concat([Buffer.from([0x80 | opcode, ...header]), mask ?? Buffer.alloc(0), body]);
}

export function encodeClose(code: number, reason = ""): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return payload;
}

export function decodeClose(payload: Buffer): { readonly code: number; readonly reason: string } {
  if (payload.length < 2) return { code: 1005, reason: "" };
  return { code: payload.readUInt16BE(), reason: payload.toString("utf8", 2) };
}

/** Cuts a stream of bytes, however it was split, into frames. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that are complete with `bytes`. */
  *read(bytes: Buffer): Generator<Frame> {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    for (let frame = this.#next(); frame; frame = this.#next()) yield frame;
  }

  /** Bytes of a frame that is not complete. */
  get pending(): number {
    return this.#rest.length;
  }

  #next(): Frame | undefined {
    const bytes = this.#rest;
    if (bytes.length < 2) return undefined;
    const short = bytes.readUInt8(1) & 0x7f;
    let at = short < 126 ? 2 : short === 126 ? 4 : 10;
    const maskAt = at;
    const masked = (bytes.readUInt8(1) & 0x80) !== 0;
    if (masked) at += 4;
    if (bytes.length < at) return undefined;
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    if (bytes.length < at + length) return undefined;
    const body = bytes.subarray(at, at + length);
    this.#rest = bytes.subarray(at + length);
    return {
      opcode: bytes.readUInt8(0) & 15,
      payload: masked ? Buffer.from(body.map((byte, i) => byte ^ bytes.readUInt8(maskAt + (i & 3)))) : body,
    };
  }
}
