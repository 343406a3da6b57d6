import type { Executor } from '@vic/sql';

/** An artifact that may be scanned. */
export interface ScanSubject {
  readonly id: number;
  readonly projectId: number;
  readonly repositoryId: number;
  /** With the project: `library/busybox`. */
  readonly repository: string;
  readonly digest: string;
  readonly type: string;
  readonly mediaType: string;
  readonly manifestMediaType: string;
  readonly sizeBytes: number;
  readonly isAccessory: boolean;
}

function subjects(db: Executor) {
  return db
    .selectFrom('artifacts')
    .innerJoin('repositories', 'repositories.id', 'artifacts.repository_id')
    .select([
      'artifacts.id',
      'artifacts.project_id',
      'artifacts.repository_id',
      'repositories.name as repository',
      'artifacts.digest',
      'artifacts.type',
      'artifacts.media_type',
      'artifacts.manifest_media_type',
      'artifacts.size_bytes',
      'artifacts.accessory_type',
    ]);
}

type Row = Awaited<ReturnType<ReturnType<typeof subjects>['execute']>>[number];

function subjectOfRow(row: Row): ScanSubject {
  return {
    id: row.id,
    projectId: row.project_id,
    repositoryId: row.repository_id,
    repository: row.repository,
    digest: row.digest,
    type: row.type,
    mediaType: row.media_type,
    manifestMediaType: row.manifest_media_type,
    sizeBytes: row.size_bytes,
    isAccessory: row.accessory_type !== null,
  };
}

/** The artifact with that id. */
export async function findSubject(db: Executor, id: number): Promise<ScanSubject | undefined> {
  const row = await subjects(db).where('artifacts.id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : subjectOfRow(row);
}

/** Images after `afterId` that stand for themselves, by id: what a scan of everything goes through. */
export async function listImages(db: Executor, afterId: number, limit: number): Promise<readonly ScanSubject[]> {
  const rows = await subjects(db)
    .where('artifacts.id', '>', afterId)
    .where('artifacts.type', '=', 'IMAGE')
    .where('artifacts.accessory_type', 'is', null)
    .orderBy('artifacts.id')
    .limit(limit)
    .execute();
  return rows.map(subjectOfRow);
}

/** The members of indexes that are in the repository, by the index's id. */
export async function membersOf(
  db: Executor,
  indexIds: readonly number[],
): Promise<ReadonlyMap<number, readonly ScanSubject[]>> {
  if (indexIds.length === 0) return new Map();
  const rows = await subjects(db)
    .innerJoin('artifact_references', (join) =>
      join
        .onRef('artifact_references.repository_id', '=', 'artifacts.repository_id')
        .onRef('artifact_references.child_digest', '=', 'artifacts.digest'),
    )
    .select('artifact_references.parent_id')
    .where('artifact_references.parent_id', 'in', indexIds)
    .orderBy('artifact_references.position')
    .execute();
  const members = new Map<number, ScanSubject[]>();
  for (const row of rows) {
    const list = members.getOrInsertComputed(row.parent_id, () => []);
    if (!list.some(({ id }) => id === row.id)) list.push(subjectOfRow(row));
  }
  return members;
}
