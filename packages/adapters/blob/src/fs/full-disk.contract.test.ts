import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { digestOfBytes } from '@vic/oci';
import { run } from '@vic/process';
import { temporaryDirectory } from '@vic/testkit';
import { describe, expect, it } from 'vitest';
import type { BlobStore } from '../blob-store.ts';
import { openFsBlobStore } from './fs-blob-store.ts';

const MIB = 2 ** 20;

describe.skipIf(process.getuid?.() !== 0)('a blob store on a disk that is full (needs root to mount one)', () => {
  it('says so, leaves no torn blob, and goes on when there is room', async () => {
    await using disk = await smallDisk('8m');
    const store = await openFsBlobStore({ directory: `${disk.path}/store` });
    const first = await put(store, 3 * MIB);
    await expect(put(store, 20 * MIB)).rejects.toMatchObject({
      class: 'ResourceExhausted',
      code: 'BLOB_STORE_FULL',
      message: expect.stringContaining('is full'),
    });
    expect(await Array.fromAsync(store.list())).toHaveLength(1);
    expect(await Array.fromAsync(store.listUploads())).toEqual([]);
    expect(await store.verify(first)).toBe('sound');
    const second = await put(store, 2 * MIB);
    expect(await store.verify(second)).toBe('sound');
  });

  it('keeps a resumable upload that ran into the end of the disk', async () => {
    await using disk = await smallDisk('8m');
    const store = await openFsBlobStore({ directory: `${disk.path}/store` });
    const ballast = await put(store, 4 * MIB);
    const content = randomBytes(6 * MIB);
    const id = await store.createUpload();
    await expect(store.append(id, 0, Readable.from([content]))).rejects.toMatchObject({ code: 'BLOB_STORE_FULL' });
    const arrived = await store.uploadSize(id);
    await store.remove(ballast);
    await store.append(id, arrived, Readable.from([content.subarray(arrived)]));
    await store.commit(id, digestOfBytes(content));
    expect(await store.verify(digestOfBytes(content))).toBe('sound');
  });

  it('refuses uploads that would use the reserve, and check() tells how much is free', async () => {
    await using disk = await smallDisk('8m');
    const store = await openFsBlobStore({ directory: `${disk.path}/store`, reserveBytes: 4 * MIB });
    await put(store, 5 * MIB);
    await expect(put(store, 1)).rejects.toMatchObject({ code: 'BLOB_STORE_FULL' });
    const health = await store.check();
    expect(health.writable).toBe(true);
    expect(health.freeBytes).toBeLessThan(4 * MIB);
    expect(health.totalBytes).toBe(8 * MIB);
  });

  it('says that a store on a read-only disk cannot be written', async () => {
    await using disk = await smallDisk('8m');
    const store = await openFsBlobStore({ directory: `${disk.path}/store` });
    await run('mount', ['-o', 'remount,ro', disk.path]);
    expect(await store.check()).toMatchObject({ writable: false, reason: expect.stringContaining('EROFS') });
    await expect(put(store, 1)).rejects.toMatchObject({ class: 'Unavailable', code: 'BLOB_STORE_UNAVAILABLE' });
  });
});

async function put(store: BlobStore, sizeBytes: number): Promise<`sha256:${string}`> {
  const content = randomBytes(sizeBytes);
  const digest = digestOfBytes(content);
  await store.put(digest, Readable.from([content]));
  return digest;
}

async function smallDisk(size: string): Promise<AsyncDisposable & { readonly path: string }> {
  const { path, [Symbol.asyncDispose]: dispose } = await temporaryDirectory();
  await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'vic-test', path]);
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await run('umount', [path]);
      await dispose();
    },
  };
}
