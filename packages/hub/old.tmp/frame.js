const textFrame = 0x81; // FIN, opcode 1
/**
 * One unmasked WebSocket text frame as a server sends it, in a buffer of its own (RFC 6455, section 5.2).
 * It is built once and shared by every subscriber, so nobody may write into it.
 */
export function encodeTextFrame(text) {
  const length = Buffer.byteLength(text);
  const headerLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafeSlow(headerLength + length);
  frame[0] = textFrame;
  if (headerLength === 2) {
    frame[1] = length;
  } else if (headerLength === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, headerLength, "utf8");
  return frame;
}
//# sourceMappingURL=frame.js.map
