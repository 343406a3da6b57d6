import { createHash } from 'node:crypto';
import { VicError } from '@vic/errors';
import { algorithmOf } from '@vic/oci';
import type { ContentDigest } from '@vic/oci';

/** The same bytes; fails at the end, in Docker's words, when their digest or length is not the expected one. */
export async function* verifiedStream(
  source: AsyncIterable<Uint8Array>,
  expected: { readonly digest: ContentDigest; readonly sizeBytes?: number },
): AsyncGenerator<Buffer, void, undefined> {
  const hash = createHash(algorithmOf(expected.digest));
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (expected.sizeBytes !== undefined && size > expected.sizeBytes) throw mismatch(expected.digest);
    hash.update(chunk);
    yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  const hex = expected.digest.slice(expected.digest.indexOf(':') + 1);
  if (hash.digest('hex') !== hex) throw mismatch(expected.digest);
  if (expected.sizeBytes !== undefined && size !== expected.sizeBytes) throw mismatch(expected.digest);
}

function mismatch(digest: ContentDigest): VicError {
  return new VicError({
    class: 'DataLoss',
    code: 'REGISTRY_CHECKSUM',
    message: `filesystem layer verification failed for digest ${digest}`,
    remedy: 'Pull again; if it happens again, something between here and the registry changes its data.',
  });
}
