import type { RegistryEvent } from '@vic/registry-api';
import type { Executor } from '@vic/sql';
import type { ScanType } from '../scanners/scanner-metadata.ts';
import type { ScanSubject } from './scan-subject.ts';

/** How a scan ended, for those who listen. */
export interface ScanEnd {
  readonly type: 'scan.completed' | 'scan.failed' | 'scan.stopped';
  readonly operator: string;
  readonly scanner: string;
  readonly scanType: ScanType;
  readonly status: string;
  readonly severity?: string;
  readonly summary?: Readonly<Record<string, number>>;
}

/** The event that tells of the end of a scan. */
export async function scanEvent(db: Executor, subject: ScanSubject, end: ScanEnd): Promise<RegistryEvent> {
  const tags = await db.selectFrom('tags').select('name').where('artifact_id', '=', subject.id).orderBy('id').execute();
  const project = await db.selectFrom('projects').select('name').where('id', '=', subject.projectId).executeTakeFirst();
  return {
    ...end,
    projectId: subject.projectId,
    projectName: project?.name ?? '',
    artifactId: subject.id,
    repository: subject.repository,
    digest: subject.digest,
    tags: tags.map(({ name }) => name),
    mediaType: subject.mediaType,
    artifactType: subject.type,
  };
}
