import type { Principal } from '@vic/authz';
import type { HttpApplication, HttpReply, HttpRequest } from '@vic/http';
import { type RestRoutes, isPermitted, parseListQuery, permits, principalOf, projectOf, sendPage } from '@vic/rest';
import type { ListPage } from '@vic/sql';
import { AUDIT_FIELDS, type AuditLog } from './audit-log.ts';
import type { AuditRecord } from './audit-record.ts';
import { EVENT_TYPES } from './event-types.ts';

/** What the routes are made of. */
export interface AuditRoutesDeps {
  readonly log: AuditLog;
  /** The ids of the projects whose logs the principal may read. */
  readonly projectsWithLogsFor: (principal: Principal) => Promise<readonly number[]>;
}

const FIELDS = { filter: AUDIT_FIELDS, sort: AUDIT_FIELDS };

/** `/audit-logs`, `/auditlog-exts` and the same of a project. */
export function auditRoutes(deps: AuditRoutesDeps): RestRoutes {
  return (app) => {
    serveAll(app, deps);
    serveProject(app, deps);
  };
}

function serveAll(app: HttpApplication, { log, projectsWithLogsFor }: AuditRoutesDeps): void {
  const signedIn = permits({ scope: 'authenticated' });
  const search = async (request: HttpRequest, reply: HttpReply, body: (record: AuditRecord) => object) => {
    const query = parseListQuery(request, FIELDS);
    const seesAll = await isPermitted(request, { resource: 'audit-log', action: 'list' });
    const projectIds = seesAll ? undefined : await projectsWithLogsFor(principalOf(request));
    return sendPage(request, reply, query, mapped(await log.search(query, projectIds), body));
  };
  app.get('/audit-logs', signedIn, async (request, reply) => search(request, reply, logBody));
  app.get('/auditlog-exts', signedIn, async (request, reply) => search(request, reply, extendedBody));
  const list = permits({ scope: 'system', resource: 'audit-log', action: 'list' });
  app.get('/auditlog-exts/events', list, async () => EVENT_TYPES.map((type) => ({ event_type: type })));
}

function serveProject(app: HttpApplication, { log }: AuditRoutesDeps): void {
  const list = permits({ scope: 'project', resource: 'log', action: 'list' });
  const search = async (request: HttpRequest, reply: HttpReply, body: (record: AuditRecord) => object) => {
    const query = parseListQuery(request, FIELDS);
    return sendPage(request, reply, query, mapped(await log.search(query, [projectOf(request).id]), body));
  };
  app.get('/projects/:project_name/logs', list, async (request, reply) => search(request, reply, logBody));
  app.get('/projects/:project_name/auditlog-exts', list, async (request, reply) =>
    search(request, reply, extendedBody),
  );
}

function mapped(page: ListPage<AuditRecord>, body: (record: AuditRecord) => object): ListPage<object> {
  return { items: page.items.map(body), total: page.total };
}

function logBody(record: AuditRecord): object {
  return {
    id: record.id,
    username: record.operator,
    resource: record.resource,
    resource_type: record.resourceType,
    operation: record.operation,
    op_time: new Date(record.atMs).toISOString(),
  };
}

function extendedBody(record: AuditRecord): object {
  return {
    ...logBody(record),
    operation_description: record.description ?? '',
    operation_result: record.succeeded,
    client_address: record.address ?? '',
  };
}
