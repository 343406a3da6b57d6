import type { ListedBlob } from '@vic/blob';
import type { GcDeps } from './gc-work.ts';

/** Digests asked for at a time; databases bound the parameters of a statement. */
const BATCH = 500;

/** The blobs of the store that the database does not tell of. */
export async function* unknownBlobs(
  { blobs, database }: Pick<GcDeps, 'blobs' | 'database'>,
  signal: AbortSignal,
): AsyncGenerator<ListedBlob, void, undefined> {
  const unknown = async (batch: readonly ListedBlob[]): Promise<readonly ListedBlob[]> => {
    if (batch.length === 0) return [];
    const rows = await database.db
      .selectFrom('blobs')
      .select('digest')
      .where(
        'digest',
        'in',
        batch.map(({ digest }) => digest),
      )
      .execute();
    const known = new Set(rows.map(({ digest }) => digest));
    return batch.filter(({ digest }) => !known.has(digest));
  };
  let batch: ListedBlob[] = [];
  for await (const blob of blobs.list(signal)) {
    batch.push(blob);
    if (batch.length < BATCH) continue;
    yield* await unknown(batch);
    batch = [];
  }
  yield* await unknown(batch);
}
