import type { RobotPrincipal } from '@vic/authz';
import { VicError, describeError } from '@vic/errors';
import type { JobContext, JobKind } from '@vic/jobs';
import type { RepositoryPlace, RepositoryStore } from '@vic/repositories';
import type { Database } from '@vic/sql';
import { evaluateRetention } from './evaluate-retention.ts';
import type { Immutability } from './immutability.ts';
import { type StoredCandidate, loadCandidates } from './retention-candidates.ts';
import type { RetentionRule } from './retention-policy.ts';
import { RETENTION } from './retention.ts';

/** What the retention job is composed of. */
export interface RetentionJobDeps {
  readonly database: Database;
  readonly store: Pick<RepositoryStore, 'deleteArtifact'>;
  readonly immutability: Pick<Immutability, 'matcher'>;
  readonly now?: () => number;
}

/** Who deletes, in events and records. */
const OPERATOR: RobotPrincipal = { kind: 'robot', id: 0, name: 'retention', grants: [] };

/** Lines of the log that are written together. */
const LINES_AT_ONCE = 100;

type Verdict = 'RETAIN' | 'DEL' | 'IMMUTABLE' | 'ERR';

interface RetentionPayload {
  readonly projectId: number;
  readonly repositoryId: number;
  readonly repository: string;
  readonly rules: readonly RetentionRule[];
  readonly dryRun: boolean;
}

/** The job that goes through one repository: deletes what no rule keeps, or says what it would delete. */
export function retentionJob(deps: RetentionJobDeps): JobKind {
  return {
    kind: RETENTION,
    run: async (context) => {
      const payload = context.job.payload as unknown as RetentionPayload;
      const now = (deps.now ?? Date.now)();
      context.log.info(`Retention of ${payload.repository}${payload.dryRun ? ', dry run: nothing is deleted' : ''}.`);
      const candidates = await loadCandidates(deps.database, payload.repositoryId);
      const retained = evaluateRetention(payload.rules, candidates, now);
      const isImmutable = await deps.immutability.matcher(payload.projectId, payload.repository);
      const place = await placeOf(deps.database, payload);
      let deleted = 0;
      const lines: string[] = [];
      for (const [index, candidate] of candidates.entries()) {
        context.signal.throwIfAborted();
        const verdict: Verdict = retained.has(candidate)
          ? 'RETAIN'
          : candidate.tags.some(isImmutable)
            ? 'IMMUTABLE'
            : await remove(deps, candidate, { context, place, dryRun: payload.dryRun });
        if (verdict === 'DEL') deleted += 1;
        lines.push(lineOf(candidate, verdict));
        if (lines.length >= LINES_AT_ONCE) context.log.info(lines.splice(0).join('\n'));
        context.progress(((index + 1) / candidates.length) * 100);
      }
      if (lines.length > 0) context.log.info(lines.join('\n'));
      await context.setAttributes({ total: candidates.length, retained: candidates.length - deleted });
      context.log.info(`${candidates.length - deleted} of ${candidates.length} artifacts retained.`);
    },
  };
}

async function placeOf({ db }: Database, payload: RetentionPayload): Promise<RepositoryPlace> {
  const project = await db
    .selectFrom('projects')
    .select(['id', 'name', 'public'])
    .where('id', '=', payload.projectId)
    .executeTakeFirst();
  if (project === undefined) {
    throw new VicError({
      class: 'NotFound',
      code: 'PROJECT_NOT_FOUND',
      message: `The project of ${payload.repository} is gone.`,
    });
  }
  return {
    project: { id: project.id, name: project.name, public: project.public === 1 },
    repository: payload.repository,
  };
}

/** A refusal, by an index that lists the artifact or by a gate, is for the log; the others go on. */
async function remove(
  { store }: RetentionJobDeps,
  candidate: StoredCandidate,
  how: { readonly context: JobContext; readonly place: RepositoryPlace; readonly dryRun: boolean },
): Promise<Verdict> {
  if (how.dryRun) return 'DEL';
  try {
    await store.deleteArtifact(how.place, { principal: OPERATOR }, candidate.digest);
    return 'DEL';
  } catch (error) {
    const refused = error instanceof VicError && !['Unavailable', 'Internal', 'DataLoss'].includes(error.class);
    if (!refused) throw error;
    how.context.log.warn(`${candidate.digest} stays: ${describeError(error)}`);
    return 'ERR';
  }
}

function lineOf(candidate: StoredCandidate, verdict: Verdict): string {
  const pulled = candidate.pulledAtMs === 0 ? 'never' : new Date(candidate.pulledAtMs).toISOString();
  const pushed = new Date(candidate.pushedAtMs).toISOString();
  const tags = candidate.tags.length === 0 ? '(untagged)' : candidate.tags.join(',');
  return `${verdict} ${candidate.digest} ${tags} ${candidate.type} pushed ${pushed} pulled ${pulled}`;
}
