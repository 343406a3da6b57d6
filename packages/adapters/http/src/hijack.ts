import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { VicError } from '@vic/errors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isUpgradedRequest, upgradeStreamOf } from './node-server.ts';

/** What the taken-over connection announces to the client. */
export interface HijackOptions {
  /** For example `application/vnd.docker.raw-stream`. */
  readonly contentType: string;
  /** The protocol named in the 101 answer; the request's `Upgrade` header when absent. */
  readonly protocol?: string;
}

/**
 * Takes the connection over from HTTP and gives its stream: bytes both ways, half-closable.
 *
 * A request with an accepted `Upgrade` header is answered `101 UPGRADED`; one without is answered `200 OK`
 * without a length, as Docker's oldest clients expect. The caller owns the stream, which is paused (read it by
 * pipe or iteration, or call `resume`), and must end it. The handler must return `reply` afterwards.
 */
export function hijack(request: FastifyRequest, reply: FastifyReply, options: HijackOptions): Duplex {
  const socket = request.raw.socket;
  if (reply.sent || socket.destroyed) {
    throw new VicError({ class: 'Cancelled', code: 'HTTP_CLIENT_GONE', message: 'The client has gone away.' });
  }
  reply.hijack();
  const upgrade = isUpgrade(request);
  if (!upgrade) detachParser(socket);
  reply.raw.removeAllListeners('finish');
  const stream = upgradeStreamOf(request.raw) ?? socket;
  reply.raw.detachSocket(stream as Socket);
  stream.pause();
  socket.setNoDelay(true);
  socket.setTimeout(0);
  socket.allowHalfOpen = true;
  stream.allowHalfOpen = true;
  const type = `Content-Type: ${options.contentType}\r\n`;
  stream.write(
    upgrade
      ? `HTTP/1.1 101 UPGRADED\r\n${type}Connection: Upgrade\r\nUpgrade: ${options.protocol ?? protocolOf(request)}\r\n\r\n`
      : `HTTP/1.1 200 OK\r\n${type}\r\n`,
  );
  return stream;
}

/** Whether the request asked for, and the server accepts, an upgraded connection. */
export function isUpgrade(request: FastifyRequest): boolean {
  return isUpgradedRequest(request.raw);
}

/** The header reaches the answer, so only characters of a protocol name pass. */
function protocolOf(request: FastifyRequest): string {
  return /^[\w./-]+$/.exec(request.headers.upgrade ?? '')?.[0] ?? 'tcp';
}

/**
 * Stops node's HTTP parser from reading the socket.
 *
 * Adding a `data` listener makes node take the handle back from the native parser ("unconsume"); the
 * listeners through which JavaScript feeds the parser are then removed. `close` stays, because it frees it.
 */
function detachParser(socket: Socket): void {
  socket.on('data', () => undefined);
  for (const event of ['data', 'end', 'drain', 'timeout', 'error']) socket.removeAllListeners(event);
  socket.on('error', () => socket.destroy());
}
