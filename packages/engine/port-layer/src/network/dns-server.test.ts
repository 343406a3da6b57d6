import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { ContainerId } from '@vic/ids';
import { silentLogger } from '@vic/log';
import packet from 'dns-packet';
import type { DecodedPacket, Packet } from 'dns-packet';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { decideDns } from './dns-message.ts';
import { DnsServer } from './dns-server.ts';
import { NameTable } from './name-table.ts';

const cleanUps: AsyncDisposable[] = [];
afterEach(async () => {
  for (const resource of cleanUps.splice(0)) await resource[Symbol.asyncDispose]();
});

const isOurs = (address: string): boolean => address.startsWith('172.16.');

function tableWith(): NameTable {
  const names = new NameTable();
  names.add('c1' as ContainerId, '172.16.0.2', ['Web', '0123456789ab', 'app']);
  names.add('c2' as ContainerId, '172.16.0.3', ['db', 'ba9876543210', 'app']);
  return names;
}

async function serverWith(upstream: readonly string[], names = tableWith()): Promise<number> {
  const server = new DnsServer({ address: '127.0.0.1', port: 0, upstream, names, isOurs, logger: silentLogger() });
  const port = await server.start();
  cleanUps.unshift(server);
  return port;
}

/** A name server that answers every A query with 192.0.2.99, or forges, or stays silent. */
async function upstreamServer(behaviour: 'answer' | 'forge' = 'answer'): Promise<string> {
  const socket = createSocket('udp4');
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.bind(0, '127.0.0.1', resolve);
  await promise;
  socket.on('message', (message, client) => {
    const query = packet.decode(message);
    const name = query.questions?.[0]?.name ?? '';
    const reply = (id: number, answered: string, data: string): void => {
      const answers = [{ type: 'A' as const, name: answered, ttl: 1, data }];
      const questions = [{ type: 'A' as const, name: answered }];
      socket.send(packet.encode({ type: 'response', id, questions, answers }), client.port, client.address);
    };
    if (behaviour === 'forge') {
      reply((query.id ?? 0) ^ 1, name, '203.0.113.1');
      reply(query.id ?? 0, 'other.example', '203.0.113.2');
    }
    reply(query.id ?? 0, name, '192.0.2.99');
  });
  cleanUps.push({ [Symbol.asyncDispose]: async () => void socket.close() });
  return `127.0.0.1:${socket.address().port}`;
}

async function ask(port: number, query: Packet): Promise<DecodedPacket> {
  const socket = createSocket('udp4');
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  socket.on('message', resolve);
  socket.send(packet.encode({ id: 7, type: 'query', flags: packet.RECURSION_DESIRED, ...query }), port, '127.0.0.1');
  try {
    return packet.decode(await promise);
  } finally {
    socket.close();
  }
}

function framed(query: Packet): Buffer {
  const message = packet.encode(query);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

const rcode = (response: DecodedPacket): number => (response.flags ?? 0) & 15;
const data = (response: DecodedPacket): unknown[] =>
  (response.answers ?? []).map((answer) => 'data' in answer && answer.data);

describe('DnsServer', () => {
  it('answers names, short ids and aliases without case, an alias with all its containers', async () => {
    const port = await serverWith([]);
    expect(data(await ask(port, { questions: [{ type: 'A', name: 'wEB' }] }))).toEqual(['172.16.0.2']);
    expect(data(await ask(port, { questions: [{ type: 'A', name: 'ba9876543210' }] }))).toEqual(['172.16.0.3']);
    const alias = await ask(port, { questions: [{ type: 'A', name: 'app' }] });
    expect(data(alias)).toEqual(['172.16.0.2', '172.16.0.3']);
    expect(alias).toMatchObject({ id: 7, flag_aa: true, flag_ra: true, flag_rd: true });
  });

  it('answers AAAA of a container with no address instead of sending it upstream', async () => {
    const port = await serverWith([]);
    const response = await ask(port, { questions: [{ type: 'AAAA', name: 'web' }] });
    expect([rcode(response), response.answers]).toEqual([0, []]);
  });

  it('answers reverse look-ups of the network, and says which addresses have no container', async () => {
    const port = await serverWith([]);
    const known = await ask(port, { questions: [{ type: 'PTR', name: '2.0.16.172.in-addr.arpa' }] });
    expect(data(known)).toEqual(['web']);
    expect(rcode(await ask(port, { questions: [{ type: 'PTR', name: '9.0.16.172.in-addr.arpa' }] }))).toBe(3);
  });

  it('asks upstream servers in turn for everything else', async () => {
    const port = await serverWith(['127.0.0.1:1', await upstreamServer()]);
    const response = await ask(port, { questions: [{ type: 'A', name: 'example.com' }] });
    expect(response.id).toBe(7);
    expect(data(response)).toEqual(['192.0.2.99']);
  });

  it('does not believe answers with another id or question', async () => {
    const port = await serverWith([await upstreamServer('forge')]);
    expect(data(await ask(port, { questions: [{ type: 'A', name: 'example.com' }] }))).toEqual(['192.0.2.99']);
  });

  it('answers SERVFAIL when no upstream server answers', async () => {
    const port = await serverWith(['127.0.0.1:1']);
    expect(rcode(await ask(port, { questions: [{ type: 'A', name: 'example.com' }] }))).toBe(2);
  });

  it('forgets a container that was removed', async () => {
    const names = tableWith();
    const port = await serverWith([await upstreamServer()], names);
    names.remove('c1' as ContainerId);
    expect(data(await ask(port, { questions: [{ type: 'A', name: 'app' }] }))).toEqual(['172.16.0.3']);
    expect(data(await ask(port, { questions: [{ type: 'A', name: 'web' }] }))).toEqual(['192.0.2.99']);
  });

  it('serves several queries on one TCP connection and cuts off a client that announces too much', async () => {
    const port = await serverWith([]);
    const socket = connect(port, '127.0.0.1');
    const query = framed({ id: 9, type: 'query', questions: [{ type: 'A', name: 'db' }] });
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, Buffer.from(chunk)]);
      const length = received.length >= 2 ? received.readUInt16BE(0) + 2 : Infinity;
      if (received.length >= 2 * length) resolve(received.subarray(length));
    });
    socket.write(Buffer.concat([query, query]));
    expect(data(packet.decode((await promise).subarray(2)))).toEqual(['172.16.0.3']);
    const closed = new Promise((done) => socket.once('close', done));
    socket.write(Buffer.from([0xff, 0xff]));
    await closed;
  });
});

describe('decideDns()', () => {
  it('gives a clean decision for arbitrary bytes', () => {
    const names = tableWith();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const decision = decideDns(Buffer.from(bytes), names, isOurs);
        const id = decision.kind === 'answer' ? [...decision.response.subarray(0, 2)] : undefined;
        expect([undefined, [...bytes.subarray(0, 2)]]).toContainEqual(id);
      }),
    );
  });

  it('drops responses, so that two servers cannot be set on each other', () => {
    const response = packet.encode({ type: 'response', id: 1, questions: [{ type: 'A', name: 'web' }] });
    expect(decideDns(response, tableWith(), isOurs)).toEqual({ kind: 'drop' });
  });

  it('answers a format error to a query without exactly one question', () => {
    const decision = decideDns(packet.encode({ type: 'query', id: 1, questions: [] }), tableWith(), isOurs);
    expect(decision.kind === 'answer' && packet.decode(decision.response).flags).toSatisfy(
      (flags: unknown) => typeof flags === 'number' && (flags & 15) === 1,
    );
  });
});
