const textFrame = 0x81; // FIN, opcode 1

/**
 * Unmasked WebSocket text frames as a server sends them, joined in a buffer of its own (RFC 6455, section 5.2).
 * It is built once and shared by every subscriber, so nobody may write into it.
 */
export function encodeTextFrames(texts: readonly string[]): Buffer {
  const lengths = texts.map((text) => Buffer.byteLength(text));
  const frames = Buffer.allocUnsafeSlow(
    lengths.reduce((sum, length) => sum + headerLength(length) + length, 0),
  );
  let at = 0;
  texts.forEach((text, index) => {
    const length = lengths[index] ?? 0;
    at = writeHeader(frames, at, length);
    frames.write(text, at, "utf8");
    at += length;
  });
  return frames;
}

function headerLength(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}

/** Returns where the payload begins. */
function writeHeader(frames: Buffer, at: number, length: number): number {
  frames[at] = textFrame;
  if (length < 126) {
    frames[at + 1] = length;
    return at + 2;
  }
  if (length < 65_536) {
    frames[at + 1] = 126;
    return frames.writeUInt16BE(length, at + 2);
  }
  frames[at + 1] = 127;
  return frames.writeBigUInt64BE(BigInt(length), at + 2);
}
