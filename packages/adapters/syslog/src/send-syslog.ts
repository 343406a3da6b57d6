import { createSocket } from 'node:dgram';
import { type Socket, connect, isIPv6 } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { withDeadline } from '@vic/async';
import { VicError } from '@vic/errors';
import type { SyslogEndpoint } from './syslog-endpoint.ts';
import { type SyslogMessage, type SyslogSource, formatSyslog } from './syslog-message.ts';

/** Options of {@link sendSyslog}. */
export interface SyslogOptions {
  readonly source: SyslogSource;
  /** Certificates (PEM) that vouch for the server's, in place of the system's. */
  readonly authorities?: string;
  readonly signal?: AbortSignal;
}

const TIMEOUT_MS = 15_000;
/** A server that has read everything closes; some keep their end open, and have read it all the same. */
const CLOSE_TIMEOUT_MS = 3000;
/** A datagram that must not be cut up by any network between two hosts. */
const MAX_DATAGRAM_BYTES = 1400;

/**
 * Sends messages to a syslog server; throws `Unavailable` when it did not take them.
 *
 * Syslog has no receipts. Over TCP and TLS every batch is a connection of its own, and has arrived when the
 * server has closed its end after ours: what is in flight when a server dies is then sent again. Over UDP
 * nothing is known.
 */
export async function sendSyslog(
  endpoint: SyslogEndpoint,
  messages: readonly SyslogMessage[],
  options: SyslogOptions,
): Promise<void> {
  const lines = messages.map((message) => Buffer.from(formatSyslog(message, options.source)));
  try {
    await withDeadline(
      `the syslog server ${endpoint.host}`,
      TIMEOUT_MS,
      async (signal) => {
        if (endpoint.protocol === 'udp') await sendDatagrams(endpoint, lines);
        else await sendStream(await open(endpoint, options, signal), lines, signal);
      },
      options.signal,
    );
  } catch (cause) {
    throw new VicError({
      class: 'Unavailable',
      code: 'SYSLOG_UNAVAILABLE',
      message: `The syslog server ${endpoint.host}:${endpoint.port} did not take the messages: ${reason(cause)}.`,
      remedy: 'They are kept and sent again.',
      cause,
    });
  }
}

async function open(endpoint: SyslogEndpoint, options: SyslogOptions, signal: AbortSignal): Promise<Socket> {
  const { host, port, protocol } = endpoint;
  const authorities = options.authorities === undefined ? {} : { ca: options.authorities };
  const secure = protocol === 'tls';
  const socket = secure
    ? connectTls({ host, port, servername: serverName(host), ...authorities })
    : connect({ host, port });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once(secure ? 'secureConnect' : 'connect', resolve).once('error', reject);
  signal.addEventListener('abort', () => socket.destroy(), { once: true });
  await promise;
  socket.off('error', reject);
  return socket;
}

/** Messages are framed by their length, RFC 5425 section 4.3 and RFC 6587 section 3.4.1. */
async function sendStream(socket: Socket, lines: readonly Buffer[], signal: AbortSignal): Promise<void> {
  const { promise: closed, resolve, reject } = Promise.withResolvers<void>();
  socket.once('error', reject).once('close', () => resolve());
  // Nothing is expected back; reading notices the end.
  socket.resume();
  socket.end(Buffer.concat(lines.flatMap((line) => [Buffer.from(`${line.length} `), line])));
  const timer = setTimeout(() => socket.writableFinished && socket.destroy(), CLOSE_TIMEOUT_MS);
  try {
    await closed;
    signal.throwIfAborted();
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

async function sendDatagrams(endpoint: SyslogEndpoint, lines: readonly Buffer[]): Promise<void> {
  const socket = createSocket(isIPv6(endpoint.host) ? 'udp6' : 'udp4');
  try {
    for (const line of lines) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const datagram = line.subarray(0, MAX_DATAGRAM_BYTES);
      socket.send(datagram, endpoint.port, endpoint.host, (error) => (error === null ? resolve() : reject(error)));
      await promise;
    }
  } finally {
    socket.close();
  }
}

/** TLS names no addresses. */
function serverName(host: string): string {
  return /^[\d.]+$/.test(host) || isIPv6(host) ? '' : host;
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
