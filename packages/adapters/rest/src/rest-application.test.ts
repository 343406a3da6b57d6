import { ANONYMOUS, type Permission, type Principal, type ProjectIdentity } from '@vic/authz';
import { VicError } from '@vic/errors';
import { type HttpServer, createHttpServer } from '@vic/http';
import { silentLogger } from '@vic/log';
import { expect, test } from 'vitest';
import {
  type AuditedOperation,
  type RestRoutes,
  type RestServices,
  auditSubject,
  parseListQuery,
  permits,
  projectOf,
  registerRest,
  requirePermission,
  restErrorResponse,
  sendPage,
} from './index.ts';

const PUBLIC: ProjectIdentity = { id: 1, name: 'open', public: true };
const PRIVATE: ProjectIdentity = { id: 2, name: 'closed', public: false };
const ADA: Principal = { kind: 'user', id: 1, name: 'ada', systemAdministrator: false, groupIds: [] };

const routes: RestRoutes = (app) => {
  app.get('/open', permits({ scope: 'public' }), async () => 'open');
  app.get('/mine', permits({ scope: 'authenticated' }), async () => 'mine');
  app.get(
    '/projects/:project_name_or_id',
    permits({ scope: 'project', resource: 'project', action: 'read' }),
    (request) => Promise.resolve(projectOf(request).name),
  );
  app.put(
    '/projects/:project_name_or_id',
    permits(
      { scope: 'project', resource: 'project', action: 'update' },
      { operation: 'update', resourceType: 'project' },
    ),
    async (request) => {
      auditSubject(request, projectOf(request).name);
      return 'changed';
    },
  );
  app.get('/objects', permits({ scope: 'object', resource: 'robot', action: 'read' }), async (request) => {
    await requirePermission(request, { resource: 'robot', action: 'read' });
    return 'object';
  });
  app.get('/list', permits({ scope: 'public' }), async (request, reply) => {
    const query = parseListQuery(request, { filter: ['name', 'size'], sort: ['name'] });
    void reply.header('x-query', JSON.stringify(query));
    return sendPage(request, reply, query, { items: [1, 2], total: 25 });
  });
  app.get('/busy', permits({ scope: 'public' }), async () => {
    throw Object.assign(new VicError({ class: 'RateLimited', code: 'BUSY', message: 'too many' }), {
      retryAfterSeconds: 7,
    });
  });
  app.get('/defect', permits({ scope: 'public' }), async () => {
    throw new Error('secret detail');
  });
};

test('a route lets in whom its permission says', async () => {
  await using api = await serve();
  expect(await api.get('/open')).toMatchObject({ status: 200 });
  expect(await api.get('/mine')).toMatchObject({ status: 401 });
  expect(await api.get('/mine', 'ada')).toMatchObject({ status: 200 });
  expect(await api.get('/mine', 'wrong')).toMatchObject({ status: 401 });
  expect(await api.get('/objects', 'ada')).toMatchObject({ status: 403 });
  expect((await api.get('/objects')).headers.get('www-authenticate')).toBe('Basic realm="harbor"');
});

test('a project that the caller may not read shows no more than one that is not there', async () => {
  await using api = await serve();
  expect(await api.get('/projects/open')).toMatchObject({ status: 200, text: 'open' });
  expect((await api.get('/projects/closed')).status).toBe(401);
  expect((await api.get('/projects/missing')).status).toBe(401);
  expect((await api.get('/projects/closed', 'ada')).status).toBe(403);
  expect((await api.get('/projects/missing', 'ada')).status).toBe(404);
});

test('changes are recorded with their subject, project and success, and refused when read-only', async () => {
  await using api = await serve();
  expect((await api.put('/projects/open', 'ada')).status).toBe(200);
  api.readOnly = true;
  const refused = await api.put('/projects/open', 'ada');
  expect(refused).toMatchObject({ status: 403 });
  expect(refused.text).toContain('The system is in read only mode. Any modification is prohibited.');
  // After the answer, which does not wait for it.
  await expect.poll(() => api.recorded).toHaveLength(2);
  expect(api.recorded).toMatchObject([
    {
      operation: 'update',
      resourceType: 'project',
      resource: 'open',
      project: PUBLIC,
      succeeded: true,
      principal: ADA,
    },
    { operation: 'update', resource: '/api/projects/open', succeeded: false },
  ]);
});

test('parseListQuery() reads filters, sort keys and pages, and refuses what the list does not know', async () => {
  await using api = await serve();
  const q = encodeURIComponent('name=~a,size=[1~9]');
  const page = await api.get(`/list?q=${q}&sort=-name&page=2&page_size=10`);
  expect(JSON.parse(page.headers.get('x-query') ?? '')).toEqual({
    page: 2,
    pageSize: 10,
    filters: [
      { kind: 'like', field: 'name', value: 'a' },
      { kind: 'range', field: 'size', from: '1', to: '9' },
    ],
    sort: [{ field: 'name', descending: true }],
  });
  expect(page.headers.get('x-total-count')).toBe('25');
  expect(page.headers.get('link')).toMatch(/page=1.*rel="prev".*page=3.*rel="next"/);
  for (const bad of ['?q=colour%3Dred', '?sort=size', '?page=0', '?page_size=101', '?q=nonsense']) {
    expect((await api.get(`/list${bad}`)).status, bad).toBe(400);
  }
});

test('errors have one form, say when to try again, and hide defects', async () => {
  await using api = await serve();
  const busy = await api.get('/busy');
  expect(busy).toMatchObject({ status: 429, text: '{"errors":[{"code":"TOO_MANY_REQUEST","message":"too many"}]}' });
  expect(busy.headers.get('retry-after')).toBe('7');
  const defect = await api.get('/defect');
  expect(defect).toMatchObject({ status: 500 });
  expect(defect.text).not.toContain('secret detail');
});

test('the API describes itself', async () => {
  await using api = await serve();
  const document = JSON.parse((await api.get('/openapi.json')).text) as { paths: Record<string, object> };
  expect(document).toMatchObject({ openapi: '3.1.0', info: { title: 'Test', version: '1' } });
  expect(Object.keys(document.paths)).toContain('/api/projects/{project_name_or_id}');
});

test('a route that declares no permission is refused when it is registered', async () => {
  const bare: RestRoutes = (app) => void app.get('/bare', async () => '');
  await expect(serve([bare])).rejects.toThrow('declares no permission');
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

interface Api extends AsyncDisposable {
  readonly recorded: AuditedOperation[];
  readOnly: boolean;
  get(path: string, user?: string): Promise<Answer>;
  put(path: string, user?: string): Promise<Answer>;
}

async function serve(all: readonly RestRoutes[] = [routes]): Promise<Api> {
  const server: HttpServer = createHttpServer({ logger: silentLogger(), errorResponse: restErrorResponse });
  const recorded: AuditedOperation[] = [];
  const api = { recorded, readOnly: false };
  const services: RestServices = {
    authenticate: async ({ authorization }) => {
      if (authorization === undefined) return ANONYMOUS;
      if (authorization === 'ada') return ADA;
      throw new VicError({ class: 'Unauthenticated', code: 'WRONG', message: 'wrong' });
    },
    authorizer: {
      isAllowed: async (principal: Principal, { action }: Permission, project?: ProjectIdentity) =>
        project?.public === true && (action === 'read' || principal.kind === 'user'),
    },
    findProject: async (name) => [PUBLIC, PRIVATE].find((project) => project.name === name),
    isReadOnly: async () => api.readOnly,
    record: async (operation) => void recorded.push(operation),
  };
  await registerRest(
    server.app,
    { prefix: '/api', services, logger: silentLogger(), api: { title: 'Test', version: '1' } },
    all,
  );
  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  const base = `http://127.0.0.1:${'port' in address ? address.port : 0}/api`;
  const request = async (method: string, path: string, user?: string): Promise<Answer> => {
    const response = await fetch(base + path, { method, headers: user === undefined ? {} : { authorization: user } });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  return Object.assign(api, {
    get: async (path: string, user?: string) => request('GET', path, user),
    put: async (path: string, user?: string) => request('PUT', path, user),
    [Symbol.asyncDispose]: async () => server.close(0),
  });
}
