import type { Action, ProjectIdentity } from '@vic/authz';
import { VicError } from '@vic/errors';
import type { HttpRequest } from '@vic/http';
import { auditSubject, requirePermission } from '@vic/rest';
import type { Database } from '@vic/sql';
import type { RetentionPolicy } from './retention-policy.ts';
import type { Retention } from './retention.ts';

/** What the routes of retention read from. */
export interface RetentionRoutesDeps {
  readonly database: Database;
  readonly retention: Retention;
}

/** The policy that the path names, once the caller may do that in its project. */
export async function permittedPolicy(
  request: HttpRequest,
  { database, retention }: RetentionRoutesDeps,
  action: Action,
): Promise<RetentionPolicy> {
  const { id } = request.params as { readonly id: number };
  const policy = await retention.find(id);
  if (policy === undefined) {
    throw new VicError({
      class: 'NotFound',
      code: 'RETENTION_NOT_FOUND',
      message: `retention policy ${id} not found`,
    });
  }
  await requireForRetention(request, database, { projectId: policy.projectId, action });
  return policy;
}

/** Refuses the request unless its principal may do that with the retention of the project. */
export async function requireForRetention(
  request: HttpRequest,
  { db }: Database,
  { projectId, action }: { readonly projectId: number; readonly action: Action },
): Promise<void> {
  const row = await db
    .selectFrom('projects')
    .select(['id', 'name', 'public'])
    .where('id', '=', projectId)
    .executeTakeFirst();
  if (row === undefined) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'RETENTION_PROJECT',
      message: `invalid Project id ${projectId}`,
    });
  }
  const project: ProjectIdentity = { id: row.id, name: row.name, public: row.public === 1 };
  await requirePermission(request, { resource: 'tag-retention', action }, project);
  auditSubject(request, `retention of ${project.name}`, project);
}
