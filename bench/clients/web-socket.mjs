import { randomBytes } from "node:crypto";
import { connect } from "node:net";

/** All sockets read into this: what arrives is looked at before the next socket is read. */
const shared = Buffer.alloc(256 * 1024);
const opcodes = { text: 1, close: 8, ping: 9, pong: 10 };

/**
 * A client that costs little, so that thousands fit into one process and the server remains what is measured:
 * it reads without allocating and hands out the bytes where they lie. It understands unmasked, unfragmented frames.
 */
export class WebSocketReader {
  /** Settles with the handshake. */
  opened;
  #socket;
  #onText;
  #onClose;
  #readPauseMs;
  #isOpen = false;
  #carry = Buffer.alloc(0);

  /**
   * @param {object} options
   * @param {(text: Buffer) => void} options.onText the bytes are overwritten afterwards
   * @param {(reason: string) => void} options.onClose
   * @param {number} [options.readBytes] for a slow reader: read so much at most, then pause for `readPauseMs`
   */
  constructor({ port, path, localAddress, onText, onClose, readBytes, readPauseMs = 0 }) {
    this.#onText = onText;
    this.#onClose = onClose;
    this.#readPauseMs = readPauseMs;
    const buffer = readBytes === undefined ? shared : Buffer.alloc(readBytes);
    const onread = { buffer, callback: (size, bytes) => this.#read(bytes.subarray(0, size)) };
    this.#socket = connect({ host: "127.0.0.1", port, localAddress, noDelay: true, onread });
    this.opened = new Promise((resolve, reject) => {
      this.#socket.on("handshake", resolve);
      this.#socket.on("error", reject);
    });
    this.#socket.on("error", ({ message }) => this.#closed(message));
    this.#socket.on("end", () => this.#closed("the server ended the connection"));
    this.#socket.write(
      [
        `GET ${path} HTTP/1.1`,
        `Host: 127.0.0.1:${port}`,
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
        "\r\n",
      ].join("\r\n"),
    );
  }

  /** At most 125 bytes. */
  send(text) {
    this.#sendFrame(opcodes.text, Buffer.from(text));
  }

  /** Reads nothing from now on. */
  stall() {
    this.#readPauseMs = Infinity;
    this.#socket.pause();
  }

  /** Leaves without a word. */
  destroy() {
    this.#onClose = () => {};
    this.#socket.destroy();
  }

  #closed(reason) {
    const tell = this.#onClose;
    this.destroy();
    tell(reason);
  }

  /** @returns false to stop reading */
  #read(arrived) {
    const bytes = this.#carry.length === 0 ? arrived : Buffer.concat([this.#carry, arrived]);
    const used = this.#isOpen ? this.#readFrames(bytes) : this.#readHandshake(bytes);
    this.#carry = Buffer.from(bytes.subarray(used));
    if (!this.#isOpen || this.#readPauseMs === 0) return true;
    if (this.#readPauseMs < Infinity) setTimeout(() => this.#socket.resume(), this.#readPauseMs);
    return false;
  }

  #readHandshake(bytes) {
    const end = bytes.indexOf("\r\n\r\n");
    if (end < 0) return 0;
    const [status] = bytes.toString("latin1", 0, end).split("\r\n");
    if (!status.startsWith("HTTP/1.1 101 ")) {
      this.#socket.destroy(new Error(`the handshake was answered with ${status}`));
      return bytes.length;
    }
    this.#isOpen = true;
    this.#socket.emit("handshake");
    const frames = bytes.subarray(end + 4);
    return end + 4 + this.#readFrames(frames);
  }

  /** @returns how many bytes belong to whole frames */
  #readFrames(bytes) {
    let start = 0;
    while (bytes.length - start >= 2) {
      let length = bytes[start + 1];
      let payload = start + 2;
      if (length === 126) {
        if (bytes.length - start < 4) break;
        length = bytes.readUInt16BE(start + 2);
        payload = start + 4;
      } else if (length === 127) {
        if (bytes.length - start < 10) break;
        length = Number(bytes.readBigUInt64BE(start + 2));
        payload = start + 10;
      }
      if (bytes.length < payload + length) break;
      this.#readFrame(bytes[start], bytes, payload, payload + length);
      start = payload + length;
    }
    return start;
  }

  #readFrame(head, bytes, start, end) {
    if (head === (0x80 | opcodes.text)) this.#onText(bytes.subarray(start, end));
    else if (head === (0x80 | opcodes.ping)) this.#sendFrame(opcodes.pong, bytes.subarray(start, end));
    else if (head === (0x80 | opcodes.close)) {
      this.#closed(`closed with ${end > start ? bytes.readUInt16BE(start) : "no code"}`);
    } else if (head !== (0x80 | opcodes.pong)) this.#closed(`a frame begins with 0x${head.toString(16)}`);
  }

  /** Masked with zeros, which changes nothing. */
  #sendFrame(opcode, payload) {
    this.#socket.write(
      Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]), payload]),
    );
  }
}
