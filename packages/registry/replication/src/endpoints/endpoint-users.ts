import type { Executor } from '@vic/sql';

/** What stops an endpoint from being deleted, or `undefined`. */
export async function endpointUsers(executor: Executor, id: number): Promise<string | undefined> {
  const policy = await executor
    .selectFrom('replication_policies')
    .select('id')
    .where((where) => where.or([where('src_registry_id', '=', id), where('dest_registry_id', '=', id)]))
    .executeTakeFirst();
  if (policy !== undefined) return 'replication policies';
  const project = await executor.selectFrom('projects').select('id').where('registry_id', '=', id).executeTakeFirst();
  return project === undefined ? undefined : 'proxy cache project';
}
