import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { digestOfBytes } from '@vic/oci';
import { type ContentDigest } from '@vic/oci';
import { hashFor } from '../blob-hash.ts';
import type { BlobStore, DamageListener } from '../blob-store.ts';

/** A store of its own for one test. */
export interface StoreUnderTest extends AsyncDisposable {
  /** Another view of the same store, as another process would have it. */
  open(onDamage?: DamageListener): Promise<BlobStore>;
  /** Changes one byte in the middle of the stored content, without the store's knowledge. */
  damage(digest: ContentDigest): Promise<void>;
}

/** Stores `size` random bytes. */
export async function putRandom(
  store: BlobStore,
  size: number,
): Promise<{ readonly digest: ContentDigest; readonly content: Buffer }> {
  const content = randomBytes(size);
  const digest = digestOfBytes(content);
  await store.put(digest, Readable.from([content]));
  return { digest, content };
}

/** The digests in the store. */
export async function names(store: BlobStore): Promise<readonly string[]> {
  return (await Array.fromAsync(store.list())).map(({ digest }) => digest);
}

/** The uploads in the store. */
export async function uploadIds(store: BlobStore): Promise<readonly string[]> {
  return (await Array.fromAsync(store.listUploads())).map(({ id }) => id);
}

/** The digest of `content` by the less usual algorithm. */
export function sha512(content: Uint8Array): ContentDigest {
  const hash = hashFor('sha512:').update(content);
  return `sha512:${hash.digest('hex')}`;
}

/** Content whose sender breaks off. */
export function failingAfter(bytes: Uint8Array): Readable {
  return Readable.from(
    (async function* () {
      yield bytes;
      throw new Error('the line went dead');
    })(),
  );
}
