import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { isVicError } from '@vic/errors';
import { CertificateAuthority } from '@vic/pki';
import { freePort } from '@vic/testkit';
import { describe, expect, it } from 'vitest';
import { type SyslogMessage, formatSyslog, parseSyslogEndpoint, sendSyslog } from './index.ts';

const SOURCE = { host: 'registry.example.org', program: 'vic-registry' };

describe('formatSyslog()', () => {
  it('writes RFC 5424', () => {
    expect(formatSyslog(message('ada pulled busybox'), SOURCE)).toBe(
      `<110>1 1970-01-01T00:00:01.000Z registry.example.org vic-registry ${process.pid} pull_artifact ` +
        '[audit@6876 user="ada" resource="a\\"b\\]c\\\\d"] ada pulled busybox',
    );
  });

  it('lets no name forge another message', () => {
    const line = formatSyslog(message('one\n<110>1 two\u0000\u001b[2J'), SOURCE);
    expect(line).not.toMatch(/\p{Cc}/u);
  });
});

describe('parseSyslogEndpoint()', () => {
  it.each([
    ['logs:1514', { protocol: 'tcp', host: 'logs', port: 1514 }],
    ['logs.example.org', { protocol: 'tcp', host: 'logs.example.org', port: 514 }],
    ['udp://10.0.0.1', { protocol: 'udp', host: '10.0.0.1', port: 514 }],
    ['tls://[::1]:99', { protocol: 'tls', host: '::1', port: 99 }],
    ['TLS://logs', { protocol: 'tls', host: 'logs', port: 6514 }],
  ])('reads %s', (text, endpoint) => expect(parseSyslogEndpoint(text)).toEqual(endpoint));

  it.each(['', 'http://logs', 'logs:0', 'logs:70000', 'a b', 'logs:514/path'])('refuses "%s"', (text) => {
    expect(() => parseSyslogEndpoint(text)).toThrow('is no syslog server');
  });
});

describe('sendSyslog()', () => {
  it('sends over TCP, each message with its length', async () => {
    await using receiver = await receiveStreams(createServer());
    await sendSyslog(receiver.endpoint('tcp'), [message('one'), message('zwei ü')], { source: SOURCE });
    await expect.poll(() => receiver.messages().map((line) => line.replace(/^.*\] /, ''))).toEqual(['one', 'zwei ü']);
  });

  it('sends over TLS to a server its authorities vouch for, and to no other', async () => {
    const authority = await CertificateAuthority.create({ commonName: 'test' });
    const { certificate: cert, key } = await authority.issueServer({ commonName: 'receiver' }, ['127.0.0.1']);
    await using receiver = await receiveStreams(createTlsServer({ cert, key }));
    const endpoint = receiver.endpoint('tls');
    await sendSyslog(endpoint, [message('one')], { source: SOURCE, authorities: authority.credential.certificate });
    await expect.poll(() => receiver.messages()).toHaveLength(1);
    await expect(sendSyslog(endpoint, [message('two')], { source: SOURCE })).rejects.toThrow('did not take');
    expect(receiver.messages()).toHaveLength(1);
  });

  it('sends over UDP', async () => {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const received = once(socket, 'message');
    const endpoint = { protocol: 'udp', host: '127.0.0.1', port: socket.address().port } as const;
    await sendSyslog(endpoint, [message('one')], { source: SOURCE });
    const [datagram] = (await received) as [Buffer];
    expect(datagram.toString()).toMatch(/^<110>1 .* one$/);
    socket.close();
  });

  it('notices a server that is not there, or ends before it has read everything', async () => {
    const port = await freePort();
    const away = sendSyslog({ protocol: 'tcp', host: '127.0.0.1', port }, [message('one')], { source: SOURCE });
    await expect(away).rejects.toSatisfy((error) => isVicError(error, { code: 'SYSLOG_UNAVAILABLE' }));
    await using receiver = await receiveStreams(createServer(), (socket) => socket.resetAndDestroy());
    const many = Array.from({ length: 2000 }, () => message('x'.repeat(1000)));
    await expect(sendSyslog(receiver.endpoint('tcp'), many, { source: SOURCE })).rejects.toThrow('did not take');
  });
});

function message(text: string): SyslogMessage {
  const data = { user: 'ada', resource: 'a"b]c\\d' };
  return { atMs: 1000, severity: 'info', id: 'pull_artifact', data, text };
}

async function receiveStreams(server: Server, onSocket?: (socket: Socket) => void) {
  const chunks: Buffer[] = [];
  const event = 'setSecureContext' in server ? 'secureConnection' : 'connection';
  server.on(event, (socket: Socket) => {
    socket.on('error', () => undefined);
    if (onSocket !== undefined) onSocket(socket);
    else socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: <P extends 'tcp' | 'tls'>(protocol: P) => ({ protocol, host: '127.0.0.1', port }),
    messages: () => unframe(Buffer.concat(chunks)),
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

function unframe(bytes: Buffer): string[] {
  const messages: string[] = [];
  for (let rest = bytes; rest.length > 0;) {
    const space = rest.indexOf(' ');
    const end = space + 1 + Number(rest.subarray(0, space).toString());
    messages.push(rest.subarray(space + 1, end).toString());
    rest = rest.subarray(end);
  }
  return messages;
}
