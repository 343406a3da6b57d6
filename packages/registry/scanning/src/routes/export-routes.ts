import type { UserPrincipal } from '@vic/authz';
import { VicError } from '@vic/errors';
import { type HttpRequest, type Static, Type } from '@vic/http';
import type { Execution } from '@vic/jobs';
import { type RestRoutes, permits, principalOf, requirePermission } from '@vic/rest';
import { MIME } from '../scanners/scanner-metadata.ts';
import type { Scanning } from '../scanning.ts';

const Criteria = Type.Object({
  job_name: Type.Optional(Type.String({ maxLength: 255 })),
  projects: Type.Array(Type.Integer({ minimum: 1 }), { maxItems: 100 }),
  labels: Type.Optional(Type.Array(Type.Integer({ minimum: 1 }), { maxItems: 100 })),
  repositories: Type.Optional(Type.String({ maxLength: 4096 })),
  cveIds: Type.Optional(Type.String({ maxLength: 4096 })),
  tags: Type.Optional(Type.String({ maxLength: 4096 })),
});
const ExecutionParameters = Type.Object({ execution_id: Type.Integer({ minimum: 1 }) });

/** Harbor's `/export/cve`: CSV files of vulnerabilities, for the user who asked for them. */
export function exportRoutes(scanning: Scanning): RestRoutes {
  const { exports } = scanning;
  return (app) => {
    app.post(
      '/export/cve',
      {
        schema: { body: Criteria },
        ...permits(
          { scope: 'object', resource: 'export-cve', action: 'create' },
          { operation: 'operate', resourceType: 'export-cve' },
        ),
      },
      async (request) => {
        const type = request.headers['x-scan-data-type'];
        if (type !== MIME.report) throw invalid(`Unsupported MIME type : ${String(type).slice(0, 100)}`);
        checkCriteria(request.body);
        await requireProjects(scanning, request, request.body.projects, 'create');
        const {
          projects,
          labels = [],
          repositories = '',
          cveIds = '',
          tags = '',
          job_name: jobName = '',
        } = request.body;
        return { id: await exports.start(userOf(request), { projects, labels, repositories, cveIds, tags, jobName }) };
      },
    );
    app.get('/export/cve/executions', permits({ scope: 'authenticated' }), async (request) => {
      const items = await exports.list(userOf(request));
      return {
        items: await Promise.all(items.map(async (item) => executionBody(item, await exports.hasFile(item.id)))),
      };
    });
    app.get(
      '/export/cve/execution/:execution_id',
      {
        schema: { params: ExecutionParameters },
        ...permits({ scope: 'object', resource: 'export-cve', action: 'read' }),
      },
      async (request) => {
        const execution = await ownExecution(scanning, request, request.params.execution_id);
        return executionBody(execution, await exports.hasFile(execution.id));
      },
    );
    app.get(
      '/export/cve/download/:execution_id',
      {
        schema: { params: ExecutionParameters },
        ...permits({ scope: 'object', resource: 'export-cve', action: 'read' }),
      },
      async (request, reply) => {
        const execution = await ownExecution(scanning, request, request.params.execution_id);
        const file = await exports.take(execution.id);
        if (file === undefined) throw notFound(execution.id);
        void reply
          .type('text/csv')
          .header('content-disposition', `attachment; filename="scandata_export_${execution.id}.csv"`)
          .header('digest', file.digest);
        return file.content;
      },
    );
  };
}

function checkCriteria(criteria: Static<typeof Criteria>): void {
  if (criteria.projects.length !== 1) {
    throw invalid(`only support export single project, invalid value: ${JSON.stringify(criteria.projects)}`);
  }
  for (const text of [criteria.repositories, criteria.tags, criteria.cveIds]) {
    if (text?.includes(' ') === true) {
      throw invalid(`invalid criteria value, please remove additional spaces for input: ${text.slice(0, 200)}`);
    }
  }
}

async function requireProjects(
  { deps }: Scanning,
  request: HttpRequest,
  ids: readonly number[],
  action: 'create' | 'read',
): Promise<void> {
  for (const id of ids) {
    const project = await deps.projects.findById(id);
    if (project === undefined) {
      throw new VicError({ class: 'NotFound', code: 'PROJECT_NOT_FOUND', message: `project ${id} not found` });
    }
    await requirePermission(request, { resource: 'export-cve', action }, project);
  }
}

/** The execution, if it is the user's own. */
async function ownExecution(scanning: Scanning, request: HttpRequest, id: number): Promise<Execution> {
  const user = userOf(request);
  const execution = await scanning.exports.find(id);
  if (execution === undefined) throw notFound(id);
  await requireProjects(scanning, request, execution.attributes['project_ids'] as readonly number[], 'read');
  if (execution.vendorId === user.id) return execution;
  throw new VicError({ class: 'PermissionDenied', code: 'EXPORT_FORBIDDEN', message: 'forbidden' });
}

function userOf(request: HttpRequest): UserPrincipal {
  const principal = principalOf(request);
  if (principal.kind === 'user') return principal;
  throw new VicError({
    class: principal.kind === 'anonymous' ? 'Unauthenticated' : 'PermissionDenied',
    code: 'EXPORT_FORBIDDEN',
    message: principal.kind === 'anonymous' ? 'unauthorized' : `User : ${principal.name} not found`,
  });
}

function executionBody(execution: Execution, filePresent: boolean): Readonly<Record<string, unknown>> {
  return {
    id: execution.id,
    user_id: execution.vendorId,
    user_name: execution.attributes['user_name'],
    status: execution.status,
    status_text: execution.statusMessage,
    trigger: execution.trigger,
    start_time: new Date(execution.startedAtMs).toISOString(),
    ...(execution.endedAtMs === undefined ? {} : { end_time: new Date(execution.endedAtMs).toISOString() }),
    file_present: filePresent,
  };
}

function notFound(id: number): VicError {
  return new VicError({ class: 'NotFound', code: 'EXPORT_NOT_FOUND', message: `execution with id: ${id} not found` });
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'EXPORT_INVALID', message });
}
