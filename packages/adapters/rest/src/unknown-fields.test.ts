import { ANONYMOUS } from '@vic/authz';
import { Type, createHttpServer } from '@vic/http';
import { silentLogger } from '@vic/log';
import { expect, it } from 'vitest';
import { type RestRoutes, permits, registerRest, restErrorResponse } from './index.ts';

const PUBLIC = permits({ scope: 'public' });

const routes: RestRoutes = (app) => {
  const label = Type.Object({ name: Type.String(), color: Type.Optional(Type.String()) });
  app.post('/labels', { ...PUBLIC, schema: { body: label } }, async () => 'made');
  app.post('/users/:user_id/tokens', { ...PUBLIC, schema: { body: label } }, async () => 'made');
  const either = Type.Union([label, Type.Null()]);
  app.post('/either', { ...PUBLIC, schema: { body: either } }, async () => 'made');
  const pairs = Type.Object({}, { additionalProperties: Type.String() });
  app.post('/pairs', { ...PUBLIC, schema: { body: pairs } }, async () => 'made');
  app.post('/free', PUBLIC, async () => 'made');
};

async function post(url: string, payload: object): Promise<{ readonly status: number; readonly text: string }> {
  await using server = createHttpServer({ logger: silentLogger(), errorResponse: restErrorResponse });
  const services = {
    authenticate: async () => ANONYMOUS,
    authorizer: { isAllowed: async () => true },
    findProject: async () => undefined,
    isReadOnly: async () => false,
    record: async () => undefined,
  };
  await registerRest(server.app, { prefix: '/api', services, logger: silentLogger() }, [routes]);
  const answer = await server.app.inject({ method: 'POST', url: `/api${url}`, payload });
  return { status: answer.statusCode, text: answer.payload };
}

it.each(['/labels', '/users/7/tokens', '/either'])('%s refuses a field that nothing reads, by name', async (url) => {
  const { status, text } = await post(url, { name: 'x', colour: 'red' });
  expect(status).toBe(400);
  expect(text).toContain(String.raw`the body has an unknown field \"colour\"; its fields are name, color`);
});

it("takes what Harbor's clients send back of an object they have read, there only", async () => {
  const read = { id: 1, name: 'x', creation_time: '2026-01-01T00:00:00Z' };
  expect(await post('/labels', read)).toEqual({ status: 200, text: 'made' });
  expect(await post('/users/7/tokens', read)).toMatchObject({ status: 400 });
});

it.each(['/pairs', '/free'])('%s has names of its own to check', async (url) => {
  expect(await post(url, { any: 'name' })).toEqual({ status: 200, text: 'made' });
});
