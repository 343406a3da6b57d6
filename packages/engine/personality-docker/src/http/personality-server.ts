import { Readable, type Writable } from 'node:stream';
import type { VicError } from '@vic/errors';
import {
  type ErrorResponse,
  type HttpReply,
  type HttpRequest,
  type HttpServer,
  type TlsOptions,
  createHttpServer,
  hijack,
  isUpgrade,
  streamingBodies,
} from '@vic/http';
import type { Logger } from '@vic/log';
import { dockerError } from './docker-error.ts';
import type { AnswerHeaders, Exchange } from './exchange.ts';

/** An HTTP server that gives every request to a personality. With TLS, clients must show a certificate. */
export function createPersonalityServer(
  personality: { handle(exchange: Exchange): Promise<void> },
  options: { readonly logger: Logger; readonly tls?: TlsOptions },
): HttpServer {
  const server = createHttpServer({
    ...options,
    upgradeProtocols: ['tcp'],
    // The personality has a router of its own, which also knows what to say to malformed paths.
    rewriteUrl: () => '/',
    errorResponse: dockerErrorResponse,
  });
  server.app.register(
    streamingBodies((scope) => {
      scope.route({
        method: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'],
        url: '/',
        exposeHeadRoute: false,
        handler: async (request, reply) => {
          await personality.handle(exchangeOf(request, reply, server.closing));
          return reply;
        },
      });
    }),
  );
  return server;
}

function dockerErrorResponse(error: VicError): ErrorResponse {
  const { status, message } = dockerError(error);
  return { status, headers: { 'content-type': 'application/json' }, body: { message } };
}

/** What {@link exchangeOf} needs of a request and its reply, typed loosely enough for every route's generics. */
type AnyRequest = Pick<HttpRequest, 'raw' | 'body' | 'headers' | 'originalUrl'>;

function exchangeOf(
  request: AnyRequest,
  reply: Pick<HttpReply, 'raw' | 'hijack' | 'sent'>,
  closing: AbortSignal,
): Exchange {
  const gone = new AbortController();
  const onClose = (): void => gone.abort();
  reply.raw.once('close', onClose);
  let answered = false;
  const writeHead = (status: number, headers: AnswerHeaders): Writable => {
    answered = true;
    reply.hijack();
    reply.raw.writeHead(status, headers);
    return reply.raw;
  };
  return {
    method: request.raw.method ?? 'GET',
    target: request.originalUrl,
    header: (name) => headerOf(request.headers[name]),
    body: request.body instanceof Readable ? request.body : Readable.from([]),
    signal: AbortSignal.any([gone.signal, closing]),
    get answered() {
      return answered;
    },
    get upgrade() {
      return isUpgrade(request as HttpRequest);
    },
    answer: (status, headers, body) => {
      const bodyless = status === 204 || status === 304;
      const length = bodyless ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
      writeHead(status, { ...headers, ...length });
      reply.raw.end(bodyless ? undefined : body);
    },
    stream: (status, headers) => {
      const body = writeHead(status, headers);
      reply.raw.flushHeaders();
      return body;
    },
    hijack: (contentType) => {
      answered = true;
      reply.raw.off('close', onClose);
      const socket = hijack(request as HttpRequest, reply as HttpReply, { contentType, protocol: 'tcp' });
      socket.once('close', onClose);
      return socket;
    },
  };
}

function headerOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}
