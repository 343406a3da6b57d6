import { isContentDigest, type ContentDigest } from '@vic/oci';
import type { Executor } from '@vic/sql';

/** A blob that the registry has to have. */
export interface LiveBlob {
  readonly digest: ContentDigest;
  readonly sizeBytes: number;
}

const PAGE = 1000;

/** The blobs that a database says are there, page by page. */
export async function* liveBlobs(db: Executor): AsyncGenerator<readonly LiveBlob[], void, undefined> {
  for (let after = ''; ;) {
    const rows = await db
      .selectFrom('blobs')
      .select(['digest', 'size_bytes'])
      .where('state', '=', 'live')
      .where('digest', '>', after)
      .orderBy('digest')
      .limit(PAGE)
      .execute();
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.digest;
    yield rows.flatMap(({ digest, size_bytes: sizeBytes }) => (isContentDigest(digest) ? [{ digest, sizeBytes }] : []));
  }
}
