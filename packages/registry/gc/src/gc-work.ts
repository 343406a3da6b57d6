import type { BlobStore } from '@vic/blob';
import type { JobLog } from '@vic/jobs';
import type { RepositoryStore } from '@vic/repositories';
import type { Database } from '@vic/sql';

/** What garbage collection and scrub work on. */
export interface GcDeps {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly store: Pick<RepositoryStore, 'deleteArtifacts'>;
  readonly nowMs?: () => number;
}

/** What a step of a run gets to work with. */
export interface GcRun {
  readonly signal: AbortSignal;
  readonly log: JobLog;
  progress(percent: number, message?: string): void;
}
