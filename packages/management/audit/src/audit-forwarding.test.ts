import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { auditForwarding } from './index.ts';

const SETTINGS = {
  disabled_audit_log_event_types: '',
  pull_audit_log_disable: false,
  skip_audit_log_database: false,
};
const { check } = auditForwarding({ source: { host: 'here', program: 'test' } });
const CHANGED = new Set(['audit_log_forward_endpoint']);

it('a new endpoint is accepted when it takes a message', async () => {
  const received: string[] = [];
  const server = createServer((socket) => socket.on('data', (chunk: Buffer) => received.push(chunk.toString())));
  await using _closed = { [Symbol.asyncDispose]: async () => void server.close() };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await check({ ...SETTINGS, audit_log_forward_endpoint: `127.0.0.1:${port}` }, CHANGED);
  await expect.poll(() => received.join('')).toContain('forwarded here from now on');
});

it('and refused when nobody is there, or when it is none', async () => {
  // The first port is nobody's, and no connection of another test can be given it.
  const away = { ...SETTINGS, audit_log_forward_endpoint: '127.0.0.1:1' };
  await expect(check(away, CHANGED)).rejects.toThrow('could not connect to the audit endpoint: 127.0.0.1');
  await expect(check({ ...SETTINGS, audit_log_forward_endpoint: 'http://x' }, CHANGED)).rejects.toThrow(
    'no syslog server',
  );
  await check(away, new Set(['read_only']));
});
