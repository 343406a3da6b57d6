import type { Database } from '@vic/sql';

/** One artifact somebody let pass. */
export interface PromotionApproval {
  readonly policyId: number;
  readonly repository: string;
  readonly digest: string;
  readonly approvedBy: string;
  readonly approvedAtMs: number;
}

/** Who approved which artifact for promotion by which policy. */
export class PromotionApprovals {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Approves a digest; the first approval stays. */
  async approve(approval: Omit<PromotionApproval, 'approvedAtMs'>): Promise<void> {
    await this.#database.db
      .insertInto('replication_approvals')
      .values({
        policy_id: approval.policyId,
        repository: approval.repository,
        digest: approval.digest,
        approved_by: approval.approvedBy,
        approved_at_ms: Date.now(),
      })
      .onConflict((conflict) => conflict.columns(['policy_id', 'repository', 'digest']).doNothing())
      .execute();
  }

  /** Whether somebody approved the digest for the policy. */
  async isApproved(policyId: number, repository: string, digest: string): Promise<boolean> {
    const row = await this.#database.db
      .selectFrom('replication_approvals')
      .select('id')
      .where('policy_id', '=', policyId)
      .where('repository', '=', repository)
      .where('digest', '=', digest)
      .executeTakeFirst();
    return row !== undefined;
  }

  /** The approvals of a policy, the latest first. */
  async list(policyId: number, limit: number): Promise<readonly PromotionApproval[]> {
    const rows = await this.#database.db
      .selectFrom('replication_approvals')
      .selectAll()
      .where('policy_id', '=', policyId)
      .orderBy('id', 'desc')
      .limit(limit)
      .execute();
    return rows.map((row) => ({
      policyId: row.policy_id,
      repository: row.repository,
      digest: row.digest,
      approvedBy: row.approved_by,
      approvedAtMs: row.approved_at_ms,
    }));
  }
}
