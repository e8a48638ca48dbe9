/**
 * One unmasked WebSocket text frame as a server sends it, in a buffer of its own (RFC 6455, section 5.2).
 * It is built once and shared by every subscriber, so nobody may write into it.
 */
export declare function encodeTextFrame(text: string): Buffer;
//# sourceMappingURL=frame.d.ts.map
