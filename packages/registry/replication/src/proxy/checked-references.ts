import type { Database } from '@vic/sql';

/** What the upstream said of a reference. */
export interface CheckedReference {
  /** Empty when it was not there. */
  readonly digest: string;
  readonly checkedAtMs: number;
}

/** When the upstream was last asked what a reference names; shared by all processes. */
export class CheckedReferences {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** What was last said of it. */
  async find(projectId: number, repository: string, reference: string): Promise<CheckedReference | undefined> {
    const row = await this.#database.db
      .selectFrom('proxy_cache_references')
      .select(['digest', 'checked_at_ms'])
      .where('project_id', '=', projectId)
      .where('repository', '=', repository)
      .where('reference', '=', reference)
      .executeTakeFirst();
    return row === undefined ? undefined : { digest: row.digest, checkedAtMs: row.checked_at_ms };
  }

  /** Records what was said; the empty digest that it is not there. */
  async record(projectId: number, repository: string, reference: string, digest: string): Promise<void> {
    const values = { digest, checked_at_ms: Date.now() };
    await this.#database.db
      .insertInto('proxy_cache_references')
      .values({ project_id: projectId, repository, reference, ...values })
      .onConflict((conflict) => conflict.columns(['project_id', 'repository', 'reference']).doUpdateSet(values))
      .execute();
  }
}
