import type { Database } from '@vic/sql';

/** What a policy brought to the tags of a repository's copy. */
export interface SentTags {
  /** Whether the digest is what the policy last brought to the tag, so that nobody has changed it there since. */
  isLast(tag: string, digest: string): Promise<boolean>;
  /** Records what the policy brought to a tag. */
  record(tag: string, digest: string): Promise<void>;
}

/** The tags of one repository that a policy brought to its destination. */
export function sentTags(database: Database, policyId: number, repository: string): SentTags {
  return {
    isLast: async (tag, digest) => {
      const row = await database.db
        .selectFrom('replication_sent')
        .select('digest')
        .where('policy_id', '=', policyId)
        .where('repository', '=', repository)
        .where('tag', '=', tag)
        .executeTakeFirst();
      return row?.digest === digest;
    },
    record: async (tag, digest) => {
      await database.db
        .insertInto('replication_sent')
        .values({ policy_id: policyId, repository, tag, digest })
        .onConflict((conflict) => conflict.columns(['policy_id', 'repository', 'tag']).doUpdateSet({ digest }))
        .execute();
    },
  };
}
