/**
 * How layers are sent to the process that reads them: a byte of kind, four bytes of length, the payload.
 *
 * `layer` starts a layer, `data` is a piece of it, `end` ends the image.
 */
export const FRAME = { layer: 1, data: 2, end: 3 } as const;

const HEAD_BYTES = 5;
/** Pieces come from streams with small buffers; more is a mistake of the sender. */
const MAX_FRAME_BYTES = 16 * 1024 * 1024;

/** One frame as bytes. */
export function encodeFrame(kind: number, payload: Uint8Array = new Uint8Array()): readonly Uint8Array[] {
  const head = Buffer.alloc(HEAD_BYTES);
  head[0] = kind;
  head.writeUInt32BE(payload.length, 1);
  return [head, payload];
}

interface Frame {
  readonly kind: number;
  readonly payload: Buffer;
}

async function* framesOf(source: AsyncIterable<Buffer>): AsyncGenerator<Frame, void, undefined> {
  let held: Buffer[] = [];
  let size = 0;
  for await (const chunk of source) {
    held.push(chunk);
    size += chunk.length;
    let bytes = size >= HEAD_BYTES ? Buffer.concat(held) : undefined;
    while (bytes !== undefined && bytes.length >= HEAD_BYTES) {
      const length = bytes.readUInt32BE(1);
      if (length > MAX_FRAME_BYTES) throw new Error('a frame is too long');
      if (bytes.length < HEAD_BYTES + length) break;
      yield { kind: bytes[0] ?? 0, payload: bytes.subarray(HEAD_BYTES, HEAD_BYTES + length) };
      bytes = bytes.subarray(HEAD_BYTES + length);
    }
    if (bytes !== undefined) {
      held = [bytes];
      size = bytes.length;
    }
  }
}

/** The layers in a stream of frames. What is left of a layer when the next one is asked for is passed over. */
export async function* decodeLayers(
  source: AsyncIterable<Buffer>,
): AsyncGenerator<AsyncIterable<Buffer>, void, undefined> {
  const frames = framesOf(source);
  let frame = await frames.next();
  while (frame.done !== true && frame.value.kind === FRAME.layer) {
    let ended = false;
    const nextPiece = async (): Promise<Buffer | undefined> => {
      if (ended) return undefined;
      frame = await frames.next();
      ended = frame.done === true || frame.value.kind !== FRAME.data;
      return frame.done === true || ended ? undefined : frame.value.payload;
    };
    const pieces = piecesOf(nextPiece);
    yield pieces;
    // The reader may have stopped early, or still be reading ahead: the generator takes one request after another.
    while ((await pieces.next()).done !== true);
    while ((await nextPiece()) !== undefined);
  }
  if (frame.done === true) throw new Error('the layers ended early');
}

async function* piecesOf(next: () => Promise<Buffer | undefined>): AsyncGenerator<Buffer, void, undefined> {
  for (let piece = await next(); piece !== undefined; piece = await next()) yield piece;
}
