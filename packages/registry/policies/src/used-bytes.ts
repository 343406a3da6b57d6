import { type RawBuilder, sql } from '@vic/sql';

/** What a project stores, as an expression: what is folded, and the changes on top of it. */
export function usedBytes(projectId: RawBuilder<unknown>): RawBuilder<number> {
  return sql<number>`(
    coalesce((select used_bytes from project_usage where project_usage.project_id = ${projectId}), 0) +
    coalesce((select cast(sum(delta_bytes) as bigint) from usage_deltas where usage_deltas.project_id = ${projectId}), 0)
  )`;
}
