import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import type { BlobStore, DamageListener } from '../blob-store.ts';
import { openFsBlobStore } from '../fs/fs-blob-store.ts';

/** A blob store on files that is gone when it is disposed of. */
export async function temporaryBlobStore(
  onDamage: DamageListener = () => undefined,
): Promise<AsyncDisposable & { readonly store: BlobStore; readonly directory: string }> {
  const { path, [Symbol.asyncDispose]: dispose } = await temporaryDirectory('vic-blob-');
  const directory = join(path, 'store');
  const store = await openFsBlobStore({ directory, onDamage });
  return { store, directory, [Symbol.asyncDispose]: dispose };
}
