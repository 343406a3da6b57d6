import { connect } from 'node:net';
import { VicError } from '@vic/errors';
import { type Logger, silentLogger } from '@vic/log';
import { expect, it } from 'vitest';
import { createHttpServer, logRequests, noteRequest, streamingBodies } from './index.ts';

type Line = Readonly<Record<string, unknown>>;

async function linesOf(method: string, path: string, headers: Record<string, string> = {}): Promise<readonly Line[]> {
  const lines: Line[] = [];
  const at =
    (level: string): Logger['info'] =>
    (message, fields) =>
      void lines.push({ level, message, ...fields });
  const logger = { ...silentLogger(), debug: at('debug'), info: at('info'), warn: at('warn') };
  await using server = createHttpServer({ logger });
  logRequests(server.app, logger);
  server.app.all('/things/:id', async (request, reply) => {
    noteRequest(request, { user: 'ada' });
    const status = Number(request.headers['x-status'] ?? 200);
    if (status === 200) return {};
    if (status === 202) noteRequest(request, { isRoutine: true });
    if (status < 400) return reply.code(status).send();
    const errorClass = { 401: 'Unauthenticated', 404: 'NotFound', 409: 'Conflict', 503: 'Unavailable' } as const;
    throw new VicError({
      class: errorClass[status as keyof typeof errorClass],
      code: 'THING_BAD',
      message: 'The thing is bad.',
    });
  });
  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  if (!('port' in address)) throw new Error('no port');
  await fetch(`http://127.0.0.1:${address.port}${path}`, { method, headers });
  await expect.poll(() => lines.length).toBeGreaterThan(0);
  return lines;
}

it('says who changed what, from where, and how it went; no query, no header', async () => {
  const headers = { authorization: 'Basic c2VjcmV0', 'x-request-id': 'mine-1' };
  const lines = await linesOf('PUT', '/things/7?code=secret', headers);
  expect(lines).toEqual([
    {
      level: 'info',
      message: 'Request',
      method: 'PUT',
      route: '/things/:id',
      path: '/things/7',
      status: 200,
      ms: expect.any(Number) as number,
      user: 'ada',
      address: '127.0.0.1',
      requestId: 'mine-1',
    },
  ]);
});

it('says why a request failed', async () => {
  expect(await linesOf('DELETE', '/things/7', { 'x-status': '409' })).toMatchObject([
    { level: 'info', status: 409, code: 'THING_BAD', error: 'The thing is bad.' },
  ]);
});

it.each([
  ['GET', '200', 'debug'],
  ['HEAD', '404', 'debug'],
  ['DELETE', '404', 'info'],
  ['GET', '401', 'debug'],
  ['GET', '409', 'info'],
  ['GET', '503', 'warn'],
  ['PATCH', '202', 'debug'],
  ['POST', '201', 'info'],
])('%s answered %s is logged at %s', async (method, status, level) => {
  expect(await linesOf(method, '/things/7', { 'x-status': status })).toMatchObject([{ level, status: Number(status) }]);
});

it('a wrong password is more than asking', async () => {
  const headers = { 'x-status': '401', authorization: 'Basic c2VjcmV0' };
  expect(await linesOf('GET', '/things/7', headers)).toMatchObject([{ level: 'info', status: 401 }]);
});

it('tells of a request whose body never came to its end', async () => {
  const lines: Line[] = [];
  const info: Logger['info'] = (message, fields) => void lines.push({ message, ...fields });
  const logger = { ...silentLogger(), info };
  await using server = createHttpServer({ logger });
  logRequests(server.app, logger);
  const begun = Promise.withResolvers<void>();
  await server.app.register(
    streamingBodies((scope) => {
      const handler = async (): Promise<never> => {
        begun.resolve();
        return new Promise(() => undefined);
      };
      scope.route({ method: ['PUT', 'POST'], url: '/things/:id', handler });
    }),
  );
  const address = await server.listen({ host: '127.0.0.1', port: 0 });
  if (!('port' in address)) throw new Error('no port');
  const socket = connect(address.port, '127.0.0.1');
  socket.write(
    'PUT /things/7?code=secret HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nhalf',
  );
  await begun.promise;
  socket.destroy();
  await expect
    .poll(() => lines)
    .toContainEqual(expect.objectContaining({ message: 'Request broken off', method: 'PUT', path: '/things/7' }));
});
