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
  readonly store: Pick<RepositoryStore, 'deleteArtifacts'>;
  readonly immutability: Pick<Immutability, 'matcher'>;
  readonly now?: () => number;
}

/** Who deletes, in events and records. */
const OPERATOR: RobotPrincipal = { kind: 'robot', id: 0, name: 'retention', grants: [] };

/** What is deleted, and logged, together. */
const CANDIDATES_AT_ONCE = 100;

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
      const isKept = (candidate: StoredCandidate): Verdict | undefined =>
        retained.has(candidate) ? 'RETAIN' : candidate.tags.some(isImmutable) ? 'IMMUTABLE' : undefined;
      let deleted = 0;
      for (let at = 0; at < candidates.length; at += CANDIDATES_AT_ONCE) {
        context.signal.throwIfAborted();
        const some = candidates.slice(at, at + CANDIDATES_AT_ONCE);
        const doomed = some.filter((candidate) => isKept(candidate) === undefined);
        const stay = payload.dryRun ? new Set<string>() : await remove(deps, { context, place, doomed });
        const verdicts = some.map((candidate) => isKept(candidate) ?? (stay.has(candidate.digest) ? 'ERR' : 'DEL'));
        deleted += verdicts.filter((verdict) => verdict === 'DEL').length;
        context.log.info(some.map((candidate, index) => lineOf(candidate, verdicts[index] ?? 'ERR')).join('\n'));
        context.progress(((at + some.length) / candidates.length) * 100);
      }
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

/** Gives what stays: a refusal, by an index that lists the artifact or by a gate, is for the log; the others go. */
async function remove(
  { store }: RetentionJobDeps,
  what: {
    readonly context: JobContext;
    readonly place: RepositoryPlace;
    readonly doomed: readonly StoredCandidate[];
  },
): Promise<ReadonlySet<string>> {
  const outcomes = await store.deleteArtifacts(what.place, { principal: OPERATOR }, what.doomed);
  const stay = new Set<string>();
  for (const { digest, refusal } of outcomes) {
    if (refusal === undefined) continue;
    what.context.log.warn(`${digest} stays: ${describeError(refusal)}`);
    stay.add(digest);
  }
  return stay;
}

function lineOf(candidate: StoredCandidate, verdict: Verdict): string {
  const pulled = candidate.pulledAtMs === 0 ? 'never' : new Date(candidate.pulledAtMs).toISOString();
  const pushed = new Date(candidate.pushedAtMs).toISOString();
  const tags = candidate.tags.length === 0 ? '(untagged)' : candidate.tags.join(',');
  return `${verdict} ${candidate.digest} ${tags} ${candidate.type} pushed ${pushed} pulled ${pulled}`;
}
