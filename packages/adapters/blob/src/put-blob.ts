import type { Readable } from 'node:stream';
import { type ContentDigest, algorithmOf } from '@vic/oci';
import type { BlobStat, BlobStore } from './blob-store.ts';

/** Stores content whose digest is known: an upload from beginning to end, which a failure leaves nothing of. */
export async function putBlob(
  store: Pick<BlobStore, 'append' | 'cancelUpload' | 'commit' | 'createUpload'>,
  digest: ContentDigest,
  content: Readable,
  signal?: AbortSignal,
): Promise<BlobStat> {
  const id = await store.createUpload(algorithmOf(digest));
  try {
    await store.append(id, 0, content, signal);
    return await store.commit(id, digest, signal);
  } catch (error) {
    await store.cancelUpload(id).catch(() => undefined);
    throw error;
  }
}
