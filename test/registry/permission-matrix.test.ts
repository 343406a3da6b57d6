import { mapLimit } from '@vic/async';
import { ROBOT_PERMISSIONS, permissionsIn, tableAllows } from '@vic/authz';
import type { DeclaredRoute } from '@vic/rest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Filling, ROWS, type Row } from './permission-matrix-rows.ts';
import { SCAN_ROWS } from './permission-matrix-scan-rows.ts';
import { SYSTEM_ROWS } from './permission-matrix-system-rows.ts';
import {
  type Answer,
  type MatrixProject,
  type MatrixWorld,
  STANDINGS,
  type Standing,
  basic,
  emptyImage,
  matrixWorld,
} from './permission-matrix-world.ts';

const API = '/api/v2.0';
const TIMEOUT_MS = 900_000;
const TABLE: readonly Row[] = [...ROWS, ...SCAN_ROWS, ...SYSTEM_ROWS];
/** Requests under way at a time. */
const CONCURRENCY = 8;

let world: MatrixWorld;

beforeAll(async () => {
  world = await matrixWorld();
}, TIMEOUT_MS);
afterAll(async () => world[Symbol.asyncDispose]());

describe('the table', () => {
  it('has every endpoint there is, and no other', () => {
    const declared = new Set(declaredRoutes().map(({ method, url }) => `${method} ${url}`));
    const listed = new Set(TABLE.map(({ method, path }) => `${method} ${path}`));
    expect([...declared].filter((endpoint) => !listed.has(endpoint)).toSorted()).toEqual([]);
    expect([...listed].filter((endpoint) => !declared.has(endpoint)).toSorted()).toEqual([]);
  });
});

describe('the REST API', () => {
  it.each(STANDINGS)(
    'lets a caller of standing %s do what the table says',
    async (standing) => {
      expect(
        await contradictions(world.callers.get(standing), (row, project) => mayDo(standing, row, project)),
      ).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'gives the best of the roles a user has as a member and through groups',
    async () => {
      const rows = [...ROWS, ...SCAN_ROWS].filter(({ path }) => path.startsWith('/projects/:'));
      const expected = (row: Row, project: MatrixProject): boolean => mayDo('developer', row, project);
      expect(await contradictions(world.developerByGroup, expected, rows)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'lets a robot do exactly what it was given, where it was given',
    async () => {
      const access = permissionsIn(ROBOT_PERMISSIONS.project);
      const robot = {
        name: 'everything',
        level: 'project',
        duration: 30,
        permissions: [{ kind: 'project', namespace: 'team', access }],
      };
      const { text } = await world.prepare('POST', `${API}/robots`, robot);
      const { name, secret } = JSON.parse(text) as { name: string; secret: string };
      const declared = new Map(declaredRoutes().map((route) => [`${route.method} ${route.url}`, route]));
      const expected = (row: Row, project: MatrixProject): boolean => {
        if (row.needs === 'nobody') return false;
        if (mayDo('stranger', row, project)) return true;
        const permission = declared.get(`${row.method} ${row.path}`)?.permission;
        if (permission === undefined || !('resource' in permission) || project.name !== 'team') return false;
        return tableAllows(ROBOT_PERMISSIONS.project, permission);
      };
      const ofProjects = TABLE.filter(({ path }) => path.startsWith('/projects/:'));
      expect(await contradictions(basic(name, secret), expected, ofProjects)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'keeps an administrator’s access token within its permissions',
    async () => {
      const access = [
        { resource: 'project', action: 'read' },
        { resource: 'repository', action: 'pull' },
        { resource: 'repository', action: 'list' },
      ];
      const permissions = [{ kind: 'project', namespace: 'team', access }];
      const { text } = await world.prepare('GET', `${API}/users/current`);
      const { user_id: id } = JSON.parse(text) as { user_id: number };
      const made = await world.prepare('POST', `${API}/users/${id}/tokens`, { name: 'narrow', permissions });
      const { token } = JSON.parse(made.text) as { token: string };
      const granted = new Set([
        'GET /projects/:project_name_or_id',
        'GET /projects/:project_name_or_id/summary',
        'GET /projects/:project_name/repositories',
      ]);
      const expected = (row: Row, project: MatrixProject): boolean =>
        (granted.has(`${row.method} ${row.path}`) && project.name === 'team') || mayDo('stranger', row, project);
      const rows = TABLE.filter(({ path }) => !OF_ONESELF.has(path));
      expect(await contradictions(basic('admin', token), expected, rows)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it('does not tell strangers a private project from one that is not there by its content', async () => {
    const refused = await world.request(world.callers.get('stranger'), { method: 'GET', path: `${API}/projects/team` });
    expect(refused.status).toBe(403);
    expect(refused.text).not.toContain('owner');
    const anonymous = await world.request(undefined, { method: 'GET', path: `${API}/projects/team` });
    const missing = await world.request(undefined, { method: 'GET', path: `${API}/projects/missing` });
    expect([anonymous.status, anonymous.text]).toEqual([missing.status, missing.text]);
  });
});

describe('/v2', () => {
  const image = emptyImage();
  const operations: readonly (readonly [string, string, Standing, unknown?])[] = [
    ['GET', 'manifests/1', 'limitedGuest'],
    ['HEAD', 'manifests/1', 'limitedGuest'],
    ['GET', 'tags/list', 'limitedGuest'],
    ['GET', `referrers/sha256:${'0'.repeat(64)}`, 'limitedGuest'],
    ['HEAD', `blobs/sha256:${'0'.repeat(64)}`, 'limitedGuest'],
    ['POST', 'blobs/uploads/', 'developer'],
    ['PUT', 'manifests/2', 'developer', image],
    ['DELETE', `manifests/sha256:${'0'.repeat(64)}`, 'maintainer'],
  ];

  it.each(STANDINGS)(
    'lets a caller of standing %s pull, push and delete as the roles say, with credentials or a token',
    async (standing) => {
      const wrong: string[] = [];
      for (const project of [world.team, world.open]) {
        for (const [method, path, needs, body] of operations) {
          const isOpen = needs === 'limitedGuest' && project === world.open;
          const may = isOpen || rank(standing) >= rank(needs);
          const url = `/v2/${project.name}/app/${path}`;
          const call = { method, path: url, body };
          const byToken = await world.request(await bearer(standing, `${project.name}/app`), call);
          if (isAdmitted(byToken) !== may) wrong.push(`token: ${method} ${url}: ${byToken.status}`);
          if (!may && byToken.status !== 401) wrong.push(`token: ${method} ${url}: ${byToken.status}, not 401`);
          const direct = await world.request(world.callers.get(standing), call);
          // Clients without credentials are sent to the token service, on public projects too.
          const mayDirectly = may && standing !== 'anonymous';
          if (isAdmitted(direct) !== mayDirectly) wrong.push(`direct: ${method} ${url}: ${direct.status}`);
        }
      }
      expect(wrong).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it('shows everybody the part of the catalog that each may see', async () => {
    const catalogOf = async (standing: Standing): Promise<unknown> => {
      const answer = await world.request(world.callers.get(standing), { method: 'GET', path: '/v2/_catalog' });
      return answer.status === 200
        ? (JSON.parse(answer.text) as { repositories: string[] }).repositories
        : answer.status;
    };
    expect(await catalogOf('anonymous')).toBe(401);
    expect(await catalogOf('stranger')).toEqual(['open/app']);
    expect(await catalogOf('limitedGuest')).toEqual(['open/app', 'team/app']);
    expect(await catalogOf('administrator')).toEqual(['open/app', 'team/app']);
  });
});

/** Endpoints where a narrow token is told what its user is, or is refused though anybody signed in may. */
const OF_ONESELF = new Set(['/projects', '/users/:user_id/tokens', '/users/:user_id/cli_secret', '/permissions']);

function declaredRoutes(): readonly DeclaredRoute[] {
  const routes = world.routes.map((route) => ({ ...route, url: route.url.replace(API, '') }));
  const reads = new Set(routes.filter(({ method }) => method === 'GET').map(({ url }) => url));
  // The server answers HEAD wherever it answers GET; the one that is declared itself is in the table.
  return routes.filter(({ method, url }) => method !== 'HEAD' || !reads.has(url) || url === '/projects');
}

function rank(standing: Standing): number {
  return STANDINGS.indexOf(standing);
}

function mayDo(standing: Standing, { needs, open }: Row, project: MatrixProject): boolean {
  if (needs === 'nobody') return false;
  return (open && project === world.open) || rank(standing) >= rank(needs);
}

/** Answers that differ from what is expected, as sentences; none when all is well. */
async function contradictions(
  authorization: string | undefined,
  expected: (row: Row, project: MatrixProject) => boolean,
  rows: readonly Row[] = TABLE,
): Promise<readonly string[]> {
  const calls = rows.flatMap((row) => [world.team, world.open].map((project) => ({ row, project })));
  const check = async ({ row, project }: (typeof calls)[number]): Promise<readonly string[]> => {
    const answer = await callRow(authorization, row, project);
    const isExpected = expected(row, project);
    const refusal = authorization === undefined ? 401 : 403;
    const isWrong = isExpected ? !isAdmitted(answer) || answer.status >= 500 : answer.status !== refusal;
    const wish = isExpected ? 'admitted' : String(refusal);
    return isWrong ? [`${row.method} ${row.path} in ${project.name}: ${answer.status}, not ${wish}`] : [];
  };
  const together = calls.filter(({ row }) => !row.alone);
  const alone = calls.filter(({ row }) => row.alone);
  return [...(await mapLimit(together, CONCURRENCY, check)), ...(await mapLimit(alone, 1, check))].flat();
}

async function callRow(authorization: string | undefined, row: Row, project: MatrixProject): Promise<Answer> {
  const { parameters = {}, query = '', body, headers }: Filling = (await row.given?.(world, project)) ?? {};
  const defaults: Readonly<Record<string, string | number>> = {
    project_name_or_id: project.name,
    project_name: project.name,
    repository_name: 'app',
    reference: '1',
    addition: 'build_history',
    meta_name: 'severity',
    tag_name: 'absent',
    job_type: 'NONE',
    pool_id: 'all',
  };
  const path = row.path.replaceAll(/:(\w+)/g, (_match, name: string) => {
    return String(parameters[name] ?? defaults[name] ?? 999_999);
  });
  return world.request(authorization, { method: row.method, path: API + path + query, body, headers });
}

/** Whether the caller was let in, whatever became of the request. */
function isAdmitted({ status }: Answer): boolean {
  return status !== 401 && status !== 403;
}

async function bearer(standing: Standing, repository: string): Promise<string> {
  const query = `?service=harbor-registry&scope=repository:${repository}:pull,push,delete`;
  const answer = await world.request(world.callers.get(standing), { method: 'GET', path: `/service/token${query}` });
  return `Bearer ${(JSON.parse(answer.text) as { token: string }).token}`;
}
