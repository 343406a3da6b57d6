import { type RestRoutes, auditSubject, permits } from '@vic/rest';
import type { CveAllowlists } from '../cve-allowlists.ts';
import { ALLOWLIST_REQUEST, allowlistBody, allowlistContentOf } from './project-body.ts';

/** The routes of the system's CVE allowlist. */
export function allowlistRoutes(allowlists: CveAllowlists): RestRoutes {
  return (app) => {
    app.get('/system/CVEAllowlist', permits({ scope: 'authenticated' }), async () =>
      allowlistBody(await allowlists.ofSystem()),
    );

    app.put(
      '/system/CVEAllowlist',
      {
        schema: { body: ALLOWLIST_REQUEST },
        ...permits(
          { scope: 'system', resource: 'cve-allowlist', action: 'update' },
          { operation: 'update', resourceType: 'cve-allowlist' },
        ),
      },
      async (request, reply) => {
        auditSubject(request, 'system');
        await allowlists.setSystem(allowlistContentOf(request.body));
        return reply.send();
      },
    );
  };
}
