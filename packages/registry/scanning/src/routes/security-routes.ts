import { type RestRoutes, parseListQuery, permits, sendPage } from '@vic/rest';
import type { Scanning } from '../scanning.ts';

const FILTERS = [
  'cve_id',
  'cvss_score_v3',
  'severity',
  'status',
  'repository_name',
  'project_id',
  'package',
  'tag',
  'digest',
];

/** Harbor's security hub: `/security/summary` and `/security/vul`. */
export function securityRoutes({ hub }: Scanning): RestRoutes {
  return (app) => {
    app.get(
      '/security/summary',
      permits({ scope: 'system', resource: 'security-hub', action: 'read' }),
      async (request) =>
        hub.summary({
          cves: isSet(request.query, 'with_dangerous_cve'),
          artifacts: isSet(request.query, 'with_dangerous_artifact'),
        }),
    );
    app.get(
      '/security/vul',
      permits({ scope: 'system', resource: 'security-hub', action: 'list' }),
      async (request, reply) => {
        const query = parseListQuery(request, { filter: FILTERS, sort: [] });
        const options = { withTags: isSet(request.query, 'with_tag'), tuned: isSet(request.query, 'tune_count') };
        return sendPage(request, reply, query, await hub.list(query, options));
      },
    );
  };
}

function isSet(query: unknown, name: string): boolean {
  return (query as Readonly<Record<string, unknown>>)[name] === 'true';
}
