import { VicError } from '@vic/errors';

/** The whole of a stream, at most `limitBytes` of it: a longer one is refused. */
export async function readBounded(source: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of source) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > limitBytes) throw tooLarge(limitBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Passes a stream on until it is longer than `limitBytes`, and fails then. */
export async function* bounded(source: AsyncIterable<Uint8Array>, limitBytes: number): AsyncGenerator<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of source) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > limitBytes) throw tooLarge(limitBytes);
    yield chunk;
  }
}

function tooLarge(limitBytes: number): VicError {
  return new VicError({
    class: 'PayloadTooLarge',
    code: 'ADDITION_TOO_LARGE',
    message: `The document is larger than ${limitBytes} bytes; read it from the artifact itself.`,
  });
}
