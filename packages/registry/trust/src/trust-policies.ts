import type { Database, Executor } from '@vic/sql';
import { type TrustPolicy, checkTrustPolicy } from './trust-policy.ts';

/** The trust policies of projects. */
export class TrustPolicies {
  readonly #database: Database;
  readonly #now: () => number;

  constructor(deps: { readonly database: Database; readonly now: () => number }) {
    this.#database = deps.database;
    this.#now = deps.now;
  }

  /** The policy of a project; one without rules while none has been set. */
  async find(projectId: number): Promise<TrustPolicy> {
    const row = await this.#database.db
      .selectFrom('trust_policies')
      .select('policy')
      .where('project_id', '=', projectId)
      .executeTakeFirst();
    return row === undefined ? { rules: [] } : (JSON.parse(row.policy) as TrustPolicy);
  }

  /** Sets the policy of a project, refusing one whose keys cannot be read. */
  async set(projectId: number, policy: TrustPolicy): Promise<void> {
    checkTrustPolicy(policy);
    const row = { policy: JSON.stringify(policy), updated_at_ms: this.#now() };
    await this.#database.db
      .insertInto('trust_policies')
      .values({ project_id: projectId, ...row })
      .onConflict((conflict) => conflict.column('project_id').doUpdateSet(row))
      .execute();
  }

  /** What goes with a project. */
  async projectDeleted(transaction: Executor, projectId: number): Promise<void> {
    await transaction.deleteFrom('trust_policies').where('project_id', '=', projectId).execute();
  }
}
