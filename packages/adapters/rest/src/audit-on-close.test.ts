import { createHttpServer } from '@vic/http';
import { silentLogger } from '@vic/log';
import { expect, test } from 'vitest';
import { permits, registerRest, restErrorResponse } from './index.ts';

/** Long enough for a server that waits for nothing to have closed. */
const WITHOUT_WAITING_MS = 200;

test('closing waits for the records of what was answered: the database may be closed after it', async () => {
  const logger = silentLogger();
  const [begun, written] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const order: string[] = [];
  const services = {
    authenticate: async () => ({ kind: 'user', id: 1, name: 'ada', systemAdministrator: true, groupIds: [] }) as const,
    authorizer: { isAllowed: async () => true },
    findProject: async () => undefined,
    isReadOnly: async () => false,
    record: async () => {
      begun.resolve();
      await written.promise;
      order.push('recorded');
    },
  };
  const server = createHttpServer({ logger, errorResponse: restErrorResponse });
  const permission = permits({ scope: 'authenticated' }, { operation: 'create', resourceType: 'label' });
  await registerRest(server.app, { prefix: '/api', services, logger }, [
    (app) => void app.post('/labels', permission, async () => 'made'),
  ]);
  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  if (!('port' in address)) throw new Error('no port');
  expect((await fetch(`http://127.0.0.1:${address.port}/api/labels`, { method: 'POST' })).status).toBe(200);
  await begun.promise;
  const closed = server.close().then(() => order.push('closed'));
  await new Promise((resolve) => setTimeout(resolve, WITHOUT_WAITING_MS));
  written.resolve();
  await closed;
  expect(order).toEqual(['recorded', 'closed']);
});
