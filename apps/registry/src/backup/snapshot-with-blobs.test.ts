import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type BlobStore, openFsBlobStore } from '@vic/blob';
import { type ContentDigest, digestOfBytes } from '@vic/oci';
import { openDatabase } from '@vic/sql';
import { type TemporaryDatabase, temporaryDatabase } from '@vic/sql/testing';
import { temporaryDirectory } from '@vic/testkit';
import { expect, it } from 'vitest';
import { snapshotWithBlobs } from './snapshot-with-blobs.ts';

const CONTENTS = ['kept', 'collected', 'lost'].map((text) => Buffer.from(text));
const [KEPT, COLLECTED, LOST] = CONTENTS.map(digestOfBytes);
const SIGNAL = new AbortController().signal;

it('takes a newer database when blobs were collected while they were copied', async () => {
  await using world = await open();
  const { database, blobs, content, path } = world;
  const collecting = whileReading(blobs, async (digest) => {
    if (digest !== COLLECTED) return;
    await database.db.deleteFrom('blobs').where('digest', '=', digest).execute();
    await blobs.remove(digest);
  });
  const { copied } = await snapshotWithBlobs(
    { location: database.location, database, blobs: collecting, content },
    path,
    SIGNAL,
  );
  expect(copied).toMatchObject({ count: 2, missing: [] });
  await using snapshot = await openDatabase({ kind: 'sqlite', path });
  const rows = await snapshot.db.selectFrom('blobs').select('digest').execute();
  expect(new Set(rows.map(({ digest }) => digest))).toEqual(new Set([KEPT, LOST]));
});

it('says what the registry has lost, and does not wait for it', async () => {
  await using world = await open();
  const { database, blobs, content, path } = world;
  const losing = whileReading(blobs, async (digest) => {
    if (digest === LOST) await blobs.remove(digest);
  });
  const sides = { location: database.location, database, blobs: losing, content };
  expect((await snapshotWithBlobs(sides, path, SIGNAL)).copied).toMatchObject({ count: 2, missing: [LOST] });
});

interface World extends AsyncDisposable {
  readonly database: TemporaryDatabase;
  readonly blobs: BlobStore;
  readonly content: BlobStore;
  readonly path: string;
}

async function open(): Promise<World> {
  await using resources = new AsyncDisposableStack();
  const { path } = resources.use(await temporaryDirectory());
  const database = resources.use(await temporaryDatabase());
  const blobs = await openFsBlobStore({ directory: join(path, 'blobs') });
  const content = await openFsBlobStore({ directory: join(path, 'content') });
  for (const bytes of CONTENTS) {
    const digest = digestOfBytes(bytes);
    await blobs.put(digest, Readable.from([bytes]));
    const row = { state: 'live', claimed_at_ms: 0, condemned_at_ms: null } as const;
    await database.db
      .insertInto('blobs')
      .values({ digest, size_bytes: bytes.length, ...row })
      .execute();
  }
  const opened = resources.move();
  const end = async (): Promise<void> => opened.disposeAsync();
  return { database, blobs, content, path: join(path, 'snapshot.db'), [Symbol.asyncDispose]: end };
}

/** A store in which something happens just before a blob is read. */
function whileReading(blobs: BlobStore, happens: (digest: ContentDigest) => Promise<void>): BlobStore {
  return new Proxy(blobs, {
    get: (target, name) => {
      if (name === 'read') {
        return async (digest: ContentDigest) => {
          await happens(digest);
          return target.read(digest);
        };
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
