import { VicError } from '@vic/errors';

/** What a frame of a multiplexed stream carries; `systemerr` is an error of the engine itself. */
export type StdStream = 'stdin' | 'stdout' | 'stderr' | 'systemerr';

const STREAMS: readonly StdStream[] = ['stdin', 'stdout', 'stderr', 'systemerr'];
const HEADER_BYTES = 8;
/** The largest frame a reader accepts; Docker's writers stay far below. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;

/** One frame: type, three zero bytes, the length as big-endian 32-bit integer, the payload. */
export function stdCopyFrame(stream: StdStream, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  frame[0] = STREAMS.indexOf(stream);
  new DataView(frame.buffer).setUint32(4, payload.length);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/** A frame read back. */
export interface StdCopyFrame {
  readonly stream: StdStream;
  readonly payload: Uint8Array;
}

/** Cuts a byte stream into frames, however it was split on the way. */
export class StdCopyDecoder {
  #pending: Uint8Array = new Uint8Array(0);

  /** Whether bytes of an unfinished frame are waiting for more. */
  get incomplete(): boolean {
    return this.#pending.length > 0;
  }

  /** The frames that `chunk` completes. */
  push(chunk: Uint8Array): StdCopyFrame[] {
    const bytes = new Uint8Array(this.#pending.length + chunk.length);
    bytes.set(this.#pending);
    bytes.set(chunk, this.#pending.length);
    const frames: StdCopyFrame[] = [];
    let at = 0;
    while (bytes.length - at >= HEADER_BYTES) {
      const length = new DataView(bytes.buffer).getUint32(at + 4);
      const stream = STREAMS[bytes[at] ?? -1];
      if (stream === undefined || length > MAX_FRAME_BYTES) throw malformed();
      if (bytes.length - at - HEADER_BYTES < length) break;
      frames.push({ stream, payload: bytes.slice(at + HEADER_BYTES, at + HEADER_BYTES + length) });
      at += HEADER_BYTES + length;
    }
    this.#pending = bytes.slice(at);
    return frames;
  }
}

function malformed(): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'STDCOPY_MALFORMED',
    message: 'The stream is not a Docker multiplexed stream.',
  });
}
