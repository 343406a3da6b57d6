import { appendEvent } from '@vic/events';
import type { Execution } from '@vic/jobs';
import type { Executor } from '@vic/sql';

const MAX_TASKS_READ = 10_000;

/** Tells each project here that an execution was about that it has ended. */
export async function tellFinished(execution: Execution, transaction: Executor): Promise<void> {
  const tasks = await transaction
    .selectFrom('job')
    .select('attributes')
    .where('execution_id', '=', execution.id)
    .limit(MAX_TASKS_READ)
    .execute();
  const policy = await transaction
    .selectFrom('replication_policies')
    .select(['name', 'src_registry_id'])
    .where('id', '=', execution.vendorId)
    .executeTakeFirst();
  const names = new Set<string>();
  for (const { attributes } of tasks) {
    const shown = JSON.parse(attributes) as Readonly<Record<string, unknown>>;
    const here = shown[policy?.src_registry_id == null ? 'src_resource' : 'dst_resource'];
    if (typeof here === 'string' && here.includes('/')) names.add(here.split('/')[0] ?? '');
  }
  if (names.size === 0) return;
  const projects = await transaction
    .selectFrom('projects')
    .select(['id', 'name'])
    .where('name', 'in', [...names].slice(0, MAX_PROJECTS_TOLD))
    .execute();
  const { Success: succeeded, Error: failed } = execution.tasks;
  for (const { id, name } of projects) {
    await appendEvent(transaction, {
      type: 'replication.finished',
      projectId: id,
      projectName: name,
      operator: 'replication',
      policyId: execution.vendorId,
      executionId: execution.id,
      succeeded,
      failed,
      summary: `Replication by ${policy?.name ?? 'a policy that is gone'} has ended: ${execution.status}.`,
    });
  }
}

const MAX_PROJECTS_TOLD = 500;
