import { VicError } from '@vic/errors';
import { Type } from '@vic/http';
import { type RestRoutes, auditSubject, permits } from '@vic/rest';
import type { AdvisoryFeed } from '@vic/vulnerabilities';
import type { Scanning } from '../scanning.ts';
import { ADVISORY_IMPORT, requestReevaluation } from '../scans/advisory-import-job.ts';
import { databaseBody } from '../scans/built-in-scan.ts';

const ImportBody = Type.Object({
  name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._ -]{0,63}$' }),
  url: Type.String({ maxLength: 2048, pattern: '^https?://' }),
  mode: Type.Optional(Type.Union([Type.Literal('replace'), Type.Literal('merge')])),
});

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
        const id = await jobs.enqueue({
          kind: ADVISORY_IMPORT,
          payload: { name, source: url, mode },
          activeKey: `advisories ${name}`,
        });
        void reply.code(202);
        return { job_id: id };
      },
    );
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
