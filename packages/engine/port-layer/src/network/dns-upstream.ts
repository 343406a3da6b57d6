import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { withDeadline } from '@vic/async';
import { answersQuery } from './dns-message.ts';
import { readDnsMessages } from './dns-stream.ts';

/** How long one server has to answer. */
const SERVER_TIMEOUT_MS = 2_000;

/** A message of the other kind: over UDP for queries that came by UDP, over TCP for the rest. */
export type DnsTransport = 'udp' | 'tcp';

/** An upstream name server. */
export interface UpstreamServer {
  readonly address: string;
  readonly port: number;
}

/** Asks the servers one after another; `undefined` when none gives a valid answer in time. */
export async function askUpstream(
  query: Buffer,
  servers: readonly UpstreamServer[],
  transport: DnsTransport,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  // An id and a source port of our own, so that an answer cannot be forged by a container that knows its query.
  const question = Buffer.from(query);
  question.writeUInt16BE(randomInt(0x1_0000), 0);
  for (const server of servers) {
    if (signal.aborted) return undefined;
    try {
      const ask = transport === 'udp' ? askByUdp : askByTcp;
      const response = await withDeadline(
        `the name server ${server.address}`,
        SERVER_TIMEOUT_MS,
        (deadline) => ask(question, server, deadline),
        signal,
      );
      query.copy(response, 0, 0, 2);
      return response;
    } catch {
      // The next server may know; when none does, the container is told so with SERVFAIL.
    }
  }
  return undefined;
}

async function askByUdp(query: Buffer, server: UpstreamServer, signal: AbortSignal): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const socket = createSocket('udp4');
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  socket.on('error', reject);
  socket.on('message', (message) => {
    if (answersQuery(message, query)) resolve(message);
  });
  // A connected socket takes datagrams from that server only.
  socket.connect(server.port, server.address, () => socket.send(query));
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    socket.close();
  }
}

async function askByTcp(query: Buffer, server: UpstreamServer, signal: AbortSignal): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const socket = connect({ host: server.address, port: server.port, signal });
  socket.on('error', reject);
  socket.on('close', () => reject(new Error('the connection was closed')));
  readDnsMessages(socket, 0xffff, (message) => {
    if (answersQuery(message, query)) resolve(message);
  });
  const framed = Buffer.alloc(2 + query.length);
  framed.writeUInt16BE(query.length, 0);
  query.copy(framed, 2);
  socket.write(framed);
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
