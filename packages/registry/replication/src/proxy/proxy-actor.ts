import type { Actor } from '@vic/repositories';

/** Whom copies from an upstream are recorded as. */
export const PROXY_ACTOR: Actor = {
  principal: {
    kind: 'robot',
    id: 0,
    name: 'proxy-cache',
    grants: [
      {
        scope: { kind: 'project', project: '*' },
        permissions: [
          { resource: 'repository', action: 'pull' },
          { resource: 'repository', action: 'push' },
        ],
      },
    ],
  },
};
