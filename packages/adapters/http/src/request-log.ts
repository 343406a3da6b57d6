import type { IncomingMessage } from 'node:http';
import type { VicError } from '@vic/errors';
import { randomUuid } from '@vic/ids';
import type { Logger } from '@vic/log';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HttpApplication } from './http-server.ts';

/** What handlers know of a request and its line in the log is to say. */
export interface RequestNote {
  /** The name of who makes it. */
  readonly user?: string;
  /** Why it failed. */
  readonly error?: VicError;
  /** Changes nothing that lasts, although its method says so: a step of an upload, a token. */
  readonly isRoutine?: boolean;
}

type NotedRequest = Pick<FastifyRequest, 'headers'> & { readonly raw: IncomingMessage };

const notes = new WeakMap<IncomingMessage, RequestNote>();
const ids = new WeakMap<IncomingMessage, string>();

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
const ID = /^[\w.-]{1,64}$/;
/** Clients choose paths, and errors may repeat what clients sent. */
const MAX_TEXT = 300;

/** Adds to what the log says of a request. */
export function noteRequest(request: { readonly raw: IncomingMessage }, note: RequestNote): void {
  notes.set(request.raw, { ...notes.get(request.raw), ...note });
}

/** What the request is called in answer and log: the client's `X-Request-Id`, or one of ours. */
export function requestIdOf({ headers, raw }: NotedRequest): string {
  const known = ids.get(raw);
  if (known !== undefined) return known;
  const given = headers['x-request-id'];
  const id = typeof given === 'string' && ID.test(given) ? given : randomUuid();
  ids.set(raw, id);
  return id;
}

/**
 * Logs the requests of an application, one line each.
 *
 * At `info` what changes something, and what fails; at `warn` what fails through no fault of the client; at `debug`
 * the rest, with the refusals that are a client's way of asking: 404 of a read, 401 without credentials. Query
 * strings and headers may carry secrets and are in no line.
 */
export function logRequests(app: HttpApplication, logger: Logger): void {
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', requestIdOf(request));
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    logger[levelOf(request, reply.statusCode)]('Request', lineOf(request, reply));
    done();
  });
  app.addHook('onRequestAbort', (request, done) => {
    const { method, routeOptions } = request;
    logger.info('Request broken off', { method, route: routeOptions.url, ...placeOf(request) });
    done();
  });
}

function levelOf({ method, headers, raw }: FastifyRequest, status: number): 'debug' | 'info' | 'warn' {
  const isRead = READS.has(method) || notes.get(raw)?.isRoutine === true;
  if (status >= 500) return 'warn';
  if (status < 400) return isRead ? 'debug' : 'info';
  const isAsking = status === 404 ? isRead : status === 401 && headers.authorization === undefined;
  return isAsking ? 'debug' : 'info';
}

function lineOf(request: FastifyRequest, reply: FastifyReply): Record<string, unknown> {
  const { error } = notes.get(request.raw) ?? {};
  return {
    method: request.method,
    route: request.routeOptions.url,
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime),
    ...placeOf(request),
    ...(error === undefined ? {} : { code: error.code, error: error.message.slice(0, MAX_TEXT) }),
  };
}

function placeOf(request: FastifyRequest): Record<string, unknown> {
  return {
    path: request.originalUrl.split('?')[0]?.slice(0, MAX_TEXT),
    user: notes.get(request.raw)?.user,
    address: request.ip,
    requestId: requestIdOf(request),
  };
}
