import { VicError } from '@vic/errors';
import { type HttpApplication, Type } from '@vic/http';
import type { Execution, Job, Jobs } from '@vic/jobs';
import { type RestRoutes, auditSubject, parseListQuery, permits, sendPage } from '@vic/rest';
import type { AdvisoryFeed } from '@vic/vulnerabilities';
import type { Scanning } from '../scanning.ts';
import { ADVISORY_IMPORT, requestReevaluation } from '../scans/advisory-import-job.ts';
import { databaseBody } from '../scans/built-in-scan.ts';

const ImportBody = Type.Object({
  name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._ -]{0,63}$' }),
  url: Type.String({ maxLength: 2048, pattern: '^https?://' }),
  mode: Type.Optional(Type.Union([Type.Literal('replace'), Type.Literal('merge')])),
});

const NO_POLICY = { vendorType: ADVISORY_IMPORT, vendorId: 0 } as const;
const IMPORT_ID = Type.Object({ id: Type.Integer({ minimum: 1 }) });
const IMPORT_FIELDS = { filter: ['id', 'status', 'creation_time'], sort: ['id', 'status', 'creation_time'] };

/** What the advisories are at which the status calls them old. */
const STALE_MS = 7 * 24 * 60 * 60_000;

/** The advisories of the built-in scanner: `/system/advisories`, our own. */
export function advisoryRoutes({ deps }: Scanning): RestRoutes {
  const { advisories, jobs } = deps;
  return (app) => {
    app.get('/system/advisories', permits({ scope: 'system', resource: 'scanner', action: 'read' }), async () => {
      const status = await advisories.status();
      const ageMs = (deps.now ?? Date.now)() - (status.importedAtMs ?? 0);
      return {
        ...databaseBody(status),
        state: status.advisoryCount === 0 ? 'empty' : ageMs > STALE_MS ? 'stale' : 'current',
        feeds: status.feeds.map(feedBody),
      };
    });
    app.post(
      '/system/advisories',
      {
        schema: { body: ImportBody },
        ...permits(
          { scope: 'system', resource: 'scanner', action: 'update' },
          { operation: 'operate', resourceType: 'scanner' },
        ),
      },
      async (request, reply) => {
        const { name, url, mode = 'replace' } = request.body;
        auditSubject(request, `advisories ${name}`);
        const task = { kind: ADVISORY_IMPORT, payload: { name, source: url, mode }, activeKey: `advisories ${name}` };
        const attributes = { name, url, mode };
        const id = await jobs.startExecution({ ...NO_POLICY, trigger: 'MANUAL', attributes, tasks: [task] });
        const path = (request.originalUrl.split('?')[0] ?? '').replace(/\/+$/, '');
        void reply.code(202).header('location', `${path}/imports/${id}`);
        return { id, job_id: (await taskOf(jobs, id))?.id };
      },
    );
    addImportRoutes(app, jobs);
    app.delete(
      '/system/advisories/:feed',
      permits(
        { scope: 'system', resource: 'scanner', action: 'update' },
        { operation: 'delete', resourceType: 'scanner' },
      ),
      async (request, reply) => {
        const { feed = '' } = request.params as Readonly<Record<string, string>>;
        auditSubject(request, `advisories ${feed}`);
        if (!(await advisories.remove(feed))) {
          throw new VicError({
            class: 'NotFound',
            code: 'ADVISORIES_NOT_FOUND',
            message: `there is no feed ${feed.slice(0, 64)}`,
          });
        }
        await requestReevaluation(deps);
        await reply.code(200).send();
      },
    );
  };
}

/** What became of imports: the latest first. */
function addImportRoutes(app: HttpApplication, jobs: Jobs): void {
  app.get(
    '/system/advisories/imports',
    permits({ scope: 'system', resource: 'scanner', action: 'read' }),
    async (request, reply) => {
      const query = parseListQuery(request, IMPORT_FIELDS);
      const { items, total } = await jobs.listExecutions(NO_POLICY, query);
      const bodies = [];
      for (const execution of items) bodies.push(await importBody(jobs, execution));
      return sendPage(request, reply, query, { items: bodies, total });
    },
  );
  app.get(
    '/system/advisories/imports/:id',
    { schema: { params: IMPORT_ID }, ...permits({ scope: 'system', resource: 'scanner', action: 'read' }) },
    async ({ params }) => {
      const execution = await jobs.findExecution(params.id, NO_POLICY);
      if (execution !== undefined) return importBody(jobs, execution);
      const message = `there is no import of advisories with id ${params.id}`;
      throw new VicError({ class: 'NotFound', code: 'ADVISORY_IMPORT_NOT_FOUND', message });
    },
  );
}

async function importBody(jobs: Jobs, execution: Execution): Promise<Readonly<Record<string, unknown>>> {
  const task = await taskOf(jobs, execution.id);
  const error = task?.statusMessage || execution.statusMessage;
  return {
    id: execution.id,
    job_id: task?.id,
    ...execution.attributes,
    status: execution.status,
    ...(error === '' ? {} : { error }),
    start_time: new Date(execution.startedAtMs).toISOString(),
    ...(execution.endedAtMs === undefined ? {} : { end_time: new Date(execution.endedAtMs).toISOString() }),
  };
}

/** An import is one task; its message says why it failed the last time, also while it is to be tried again. */
async function taskOf(jobs: Jobs, executionId: number): Promise<Job | undefined> {
  const { items } = await jobs.listTasks(executionId, { page: 1, pageSize: 1, filters: [], sort: [] });
  return items[0];
}

function feedBody(feed: AdvisoryFeed): Readonly<Record<string, unknown>> {
  return {
    name: feed.name,
    source: feed.source,
    ecosystems: feed.ecosystems,
    advisory_count: feed.advisoryCount,
    package_count: feed.packageCount,
    size: feed.sizeBytes,
    modified_at: feed.modifiedAtMs === undefined ? null : new Date(feed.modifiedAtMs).toISOString(),
    imported_at: new Date(feed.importedAtMs).toISOString(),
  };
}
