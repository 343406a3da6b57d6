import { VicError } from '@vic/errors';
import type { ContentDescriptor, ContentDigest, RegistryManifest } from '@vic/oci';
import type { Executor } from '@vic/sql';

/** What a manifest may reference without the repository having it. */
export type SparsePolicy =
  /** Nothing. */
  | 'none'
  /** Manifests, in indexes: an index copied for some of its platforms. */
  | 'indexes'
  /** Blobs, too. */
  | 'all';

/** A manifest references what its repository does not have: all of it, at once. */
export class MissingContent extends VicError {
  readonly digests: readonly ContentDigest[];

  constructor(digests: readonly ContentDigest[]) {
    super({
      class: 'NotFound',
      code: 'MANIFEST_BLOB_UNKNOWN',
      message: `the manifest references content that the repository does not have: ${digests.slice(0, 10).join(', ')}`,
      remedy: 'Push it first.',
    });
    this.digests = digests;
  }
}

/** Statements take a bounded number of parameters. */
const DIGESTS_PER_QUERY = 500;

/** Throws {@link MissingContent} unless the repository has what the manifest references. */
export async function requireContent(
  db: Executor,
  repository: string,
  manifest: RegistryManifest,
  sparse: SparsePolicy,
): Promise<void> {
  const missing = [
    ...(sparse === 'all' ? [] : await missingBlobs(db, repository, blobsNeeded(manifest))),
    ...(sparse === 'none' ? await missingManifests(db, repository, manifest.manifests) : []),
  ];
  if (missing.length > 0) throw new MissingContent(missing);
}

function blobsNeeded({ config, layers }: RegistryManifest): readonly ContentDescriptor[] {
  return [...(config === undefined ? [] : [config]), ...layers].filter(({ external }) => !external);
}

async function missingBlobs(
  db: Executor,
  repository: string,
  wanted: readonly ContentDescriptor[],
): Promise<readonly ContentDigest[]> {
  return missingOf(wanted, async (digests) =>
    db
      .selectFrom('repositories')
      .innerJoin('repository_blobs', 'repository_blobs.repository_id', 'repositories.id')
      .select('repository_blobs.digest')
      .where('repositories.name', '=', repository)
      .where('repository_blobs.digest', 'in', digests)
      .execute(),
  );
}

async function missingManifests(
  db: Executor,
  repository: string,
  wanted: readonly ContentDescriptor[],
): Promise<readonly ContentDigest[]> {
  return missingOf(wanted, async (digests) =>
    db
      .selectFrom('repositories')
      .innerJoin('artifacts', 'artifacts.repository_id', 'repositories.id')
      .select('artifacts.digest')
      .where('repositories.name', '=', repository)
      .where('artifacts.digest', 'in', digests)
      .execute(),
  );
}

async function missingOf(
  wanted: readonly ContentDescriptor[],
  query: (digests: ContentDigest[]) => Promise<readonly { readonly digest: string }[]>,
): Promise<readonly ContentDigest[]> {
  const digests = [...new Set(wanted.map(({ digest }) => digest))];
  const found = new Set<string>();
  for (let at = 0; at < digests.length; at += DIGESTS_PER_QUERY) {
    for (const row of await query(digests.slice(at, at + DIGESTS_PER_QUERY))) found.add(row.digest);
  }
  return digests.filter((digest) => !found.has(digest));
}
