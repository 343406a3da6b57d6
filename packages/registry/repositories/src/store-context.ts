import type { Database } from '@vic/sql';
import type { ArtifactGate } from './artifact-gate.ts';
import type { ConfigAttributes } from './config-attributes.ts';
import type { GroupCommit } from './group-commit.ts';
import type { SparsePolicy } from './missing-content.ts';

/** What the operations on repositories share. */
export interface StoreContext {
  readonly database: Database;
  /** For the changes that many clients make at the same moment. */
  readonly commits: GroupCommit;
  readonly gates: readonly ArtifactGate[];
  readonly attributes: ConfigAttributes;
  readonly sparse: SparsePolicy;
  readonly nowMs: () => number;
}
