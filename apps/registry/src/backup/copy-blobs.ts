import { mapLimit } from '@vic/async';
import type { BlobStore } from '@vic/blob';
import { isVicError } from '@vic/errors';
import type { ContentDigest } from '@vic/oci';
import type { Database } from '@vic/sql';
import { type LiveBlob, liveBlobs } from './live-blobs.ts';

/** What was copied, and what could not be. */
export interface CopiedBlobs {
  /** Blobs that are now there. */
  readonly count: number;
  readonly sizeBytes: number;
  /** Of those, the ones that had to be copied. */
  readonly copied: number;
  /** Blobs that were not there, or damaged. */
  readonly missing: readonly ContentDigest[];
}

const PARALLEL = 4;

/** Copies the blobs that a database names from one store to another that lacks them; both ends check the digest. */
export async function copyBlobs(
  sides: { readonly from: BlobStore; readonly to: BlobStore; readonly database: Pick<Database, 'db'> },
  signal: AbortSignal,
): Promise<CopiedBlobs> {
  const missing: ContentDigest[] = [];
  let [count, sizeBytes, copied] = [0, 0, 0];
  for await (const page of liveBlobs(sides.database.db)) {
    await mapLimit(page, PARALLEL, async (blob) => {
      signal.throwIfAborted();
      const outcome = await copyBlob(sides, blob, signal);
      if (outcome === 'missing') {
        missing.push(blob.digest);
        return;
      }
      count++;
      sizeBytes += blob.sizeBytes;
      if (outcome === 'copied') copied++;
    });
  }
  return { count, sizeBytes, copied, missing };
}

async function copyBlob(
  { from, to }: { readonly from: BlobStore; readonly to: BlobStore },
  { digest, sizeBytes }: LiveBlob,
  signal: AbortSignal,
): Promise<'there' | 'copied' | 'missing'> {
  if ((await to.stat(digest))?.sizeBytes === sizeBytes) return 'there';
  try {
    await to.put(digest, await from.read(digest), signal);
    return 'copied';
  } catch (error) {
    if (isVicError(error, { code: 'BLOB_UNKNOWN' }) || isVicError(error, { code: 'BLOB_DAMAGED' })) return 'missing';
    throw error;
  }
}
