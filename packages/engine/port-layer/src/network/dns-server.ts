import { createSocket } from 'node:dgram';
import type { Socket as UdpSocket } from 'node:dgram';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { VicError } from '@vic/errors';
import type { Logger } from '@vic/log';
import { MAX_QUERY_BYTES, decideDns, serverFailure } from './dns-message.ts';
import { readDnsMessages, writeDnsMessage } from './dns-stream.ts';
import { askUpstream } from './dns-upstream.ts';
import type { DnsTransport, UpstreamServer } from './dns-upstream.ts';
import type { NameTable } from './name-table.ts';

/** Queries under way to upstream servers; a container that asks faster gets SERVFAIL instead of our memory. */
const MAX_FORWARDED = 512;
/** Connections of clients; each costs a descriptor. */
const MAX_TCP_CLIENTS = 64;
const TCP_IDLE_MS = 10_000;

/** Options of {@link DnsServer}. */
export interface DnsServerOptions {
  readonly address: string;
  /** 0 for any free one. */
  readonly port: number;
  /** `address` or `address:port`. */
  readonly upstream: readonly string[];
  readonly names: NameTable;
  /** Whether an address belongs to the container network, for reverse look-ups. */
  readonly isOurs: (address: string) => boolean;
  readonly logger: Logger;
}

/** The name server containers use: answers for containers by itself and asks upstream servers for the rest. */
export class DnsServer implements AsyncDisposable {
  readonly #options: DnsServerOptions;
  readonly #upstream: readonly UpstreamServer[];
  readonly #stopped = new AbortController();
  readonly #clients = new Set<Socket>();
  #udp: UdpSocket | undefined;
  #tcp: Server | undefined;
  #forwarded = 0;

  constructor(options: DnsServerOptions) {
    this.#options = options;
    this.#upstream = options.upstream.map((text) => {
      const [address = text, port = '53'] = text.split(':');
      return { address, port: Number(port) };
    });
  }

  /** Listens on UDP and TCP; gives the port. */
  async start(): Promise<number> {
    const { address } = this.#options;
    const udp = createSocket('udp4');
    const tcp = createServer({ allowHalfOpen: false }, (socket) => this.#serveClient(socket));
    this.#udp = udp;
    this.#tcp = tcp;
    tcp.maxConnections = MAX_TCP_CLIENTS;
    const port = await listening(tcp, this.#options.port, address);
    await bound(udp, port, address);
    udp.on('message', (message, client) => {
      void this.#resolve(message, 'udp').then((response) => {
        if (response !== undefined && !this.#stopped.signal.aborted) udp.send(response, client.port, client.address);
      });
    });
    udp.on('error', (error) => this.#options.logger.warn('DNS over UDP failed', { error: error.message }));
    return port;
  }

  /** Stops listening and drops what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    for (const client of this.#clients) client.destroy();
    const closing = Promise.withResolvers<void>();
    if (this.#tcp?.listening === true) this.#tcp.close(() => closing.resolve());
    else closing.resolve();
    try {
      this.#udp?.close();
    } catch {
      // Closed already, or never bound.
    }
    this.#udp = undefined;
    await closing.promise;
  }

  #serveClient(socket: Socket): void {
    this.#clients.add(socket);
    socket.on('close', () => this.#clients.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(TCP_IDLE_MS, () => socket.destroy());
    readDnsMessages(socket, MAX_QUERY_BYTES, (message) => {
      void this.#resolve(message, 'tcp').then((response) => {
        if (response === undefined) socket.destroy();
        else writeDnsMessage(socket, response);
      });
    });
  }

  /** Never rejects; `undefined` for what is no query. */
  async #resolve(message: Buffer, transport: DnsTransport): Promise<Buffer | undefined> {
    const decision = decideDns(message, this.#options.names, this.#options.isOurs);
    if (decision.kind === 'answer') return decision.response;
    if (decision.kind === 'drop') return undefined;
    if (this.#forwarded >= MAX_FORWARDED) return serverFailure(message);
    this.#forwarded++;
    try {
      const answer = await askUpstream(message, this.#upstream, transport, this.#stopped.signal);
      return answer ?? serverFailure(message);
    } finally {
      this.#forwarded--;
    }
  }
}

async function listening(server: Server, port: number, host: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', (error) => reject(cannotListen(host, error)));
  server.listen(port, host, resolve);
  await promise;
  const address = server.address();
  return address !== null && typeof address === 'object' ? address.port : port;
}

async function bound(socket: UdpSocket, port: number, host: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('error', (error) => reject(cannotListen(host, error)));
  socket.bind(port, host, resolve);
  await promise;
}

function cannotListen(address: string, cause: Error): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'NETWORK_DNS_CANNOT_LISTEN',
    message: `The DNS server of the containers cannot listen on ${address}: ${cause.message}.`,
    cause,
  });
}
