import { protocolError } from './protocol-error.ts';

/** The kinds of frame, by their number on the wire. */
export const FRAME = {
  /** Endpoint's first frame: version and nonce. */
  hello: 0x01,
  /** Tether's answer: id, nonces and proof. */
  helloReply: 0x02,
  /** Endpoint's proof; the connection is authenticated after it. */
  proof: 0x03,
  /** The last or only part of a control message. */
  control: 0x10,
  /** A part of a control message that goes on in the next control frame. */
  controlPart: 0x11,
  /** Bytes of a stream. */
  data: 0x20,
  /** The stream's end; nothing follows on it. */
  eof: 0x21,
  /** Four bytes, big-endian: how many more bytes of the stream the receiver takes. */
  credit: 0x22,
} as const;

/** One of the numbers in {@link FRAME}. */
export type FrameType = (typeof FRAME)[keyof typeof FRAME];

/** The largest payload of a frame: small enough that a stream's frame does not hold up control messages. */
export const MAX_PAYLOAD_BYTES = 64 * 1024;

/** Length (4, big-endian, of the payload), type (1), stream (4, big-endian). */
const FRAME_HEADER_BYTES = 9;

/** The unit of the protocol. */
export interface Frame {
  readonly type: FrameType;
  /** `channel * 4 + kind` for stream frames, 0 for the others. */
  readonly stream: number;
  readonly payload: Uint8Array;
}

const FRAME_TYPES: ReadonlySet<number> = new Set(Object.values(FRAME));

/** The bytes of a frame. */
export function encodeFrame(type: FrameType, stream: number, payload: Uint8Array): Uint8Array {
  if (payload.length > MAX_PAYLOAD_BYTES) throw protocolError(`a payload of ${payload.length} bytes is too large`);
  const bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
  bytes.writeUInt32BE(payload.length, 0);
  bytes.writeUInt8(type, 4);
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

/** The frame that grants `bytes` more of a stream; of 0, it says that the stream's end has arrived. */
export function encodeCredit(stream: number, bytes: number): Uint8Array {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt32BE(bytes, 0);
  return encodeFrame(FRAME.credit, stream, payload);
}

/** The number of bytes a credit frame grants. */
export function decodeCredit(payload: Uint8Array): number {
  if (payload.length !== 4) throw protocolError('a credit frame does not have four bytes');
  return new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0);
}

/**
 * Cuts a byte stream into frames.
 *
 * Holds at most one incomplete frame. Throws `TETHER_PROTOCOL` at the first header that cannot be one, and
 * is of no use afterwards.
 */
export class FrameDecoder {
  #pending: Buffer = Buffer.alloc(0);

  /** Takes more bytes and gives the frames they complete, or the first `limit` of them. */
  push(chunk: Uint8Array, limit = Number.POSITIVE_INFINITY): Frame[] {
    this.#pending = this.#pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#pending, chunk]);
    const frames: Frame[] = [];
    let offset = 0;
    while (frames.length < limit && this.#pending.length - offset >= FRAME_HEADER_BYTES) {
      const end = offset + FRAME_HEADER_BYTES + this.#checkHeader(offset);
      if (this.#pending.length < end) break;
      frames.push(this.#frameAt(offset, end));
      offset = end;
    }
    this.#pending = this.#pending.subarray(offset);
    return frames;
  }

  /** Gives back the bytes that have not become frames. */
  takePending(): Uint8Array {
    const pending = this.#pending;
    this.#pending = Buffer.alloc(0);
    return pending;
  }

  #checkHeader(offset: number): number {
    const length = this.#pending.readUInt32BE(offset);
    const type = this.#pending.readUInt8(offset + 4);
    if (length > MAX_PAYLOAD_BYTES) throw protocolError(`a frame announces ${length} bytes`);
    if (!FRAME_TYPES.has(type)) throw protocolError(`frame type ${type} is unknown`);
    return length;
  }

  #frameAt(offset: number, end: number): Frame {
    return {
      type: this.#pending.readUInt8(offset + 4) as FrameType,
      stream: this.#pending.readUInt32BE(offset + 5),
      payload: this.#pending.subarray(offset + FRAME_HEADER_BYTES, end),
    };
  }
}
