import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox';
import { VicError } from '@vic/errors';
import type { Logger } from '@vic/log';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  type RawServerDefault,
} from 'fastify';
import { Settings } from 'typebox/system';
import { type ErrorResponse, errorHandler, plainErrorResponse } from './error-response.ts';
import { listenFailure } from './listen-failure.ts';
import { Connections } from './connections.ts';
import { acceptEmptyJson } from './request-body.ts';
import { describeSchemaProblems } from './schema-error.ts';
import { type TlsOptions, createNodeServer } from './node-server.ts';
import { TrustedProxies } from './trusted-proxies.ts';

/** The fastify application of a server: routes typed by TypeBox schemas. */
export type HttpApplication = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** Options of {@link createHttpServer}. */
export interface HttpServerOptions {
  readonly logger: Logger;
  /** Plain HTTP when absent. */
  readonly tls?: TlsOptions;
  /** Turns an error into this server's wire form; plain JSON `{code, message}` when absent. */
  readonly errorResponse?: (error: VicError, request: FastifyRequest) => ErrorResponse;
  /** Largest body that is read into memory; streamed bodies have no limit here. 1 MiB when absent. */
  readonly bodyLimitBytes?: number;
  /** How long a buffered body may take to arrive. 60 s when absent. */
  readonly bodyTimeoutMs?: number;
  /** Maps the URL before routing, for example to drop a version prefix; `request.originalUrl` keeps the original. */
  readonly rewriteUrl?: (url: string) => string;
  /** The protocols an `Upgrade` header may name for the request to be hijacked; others are answered plainly. */
  readonly upgradeProtocols?: readonly string[];
  /** Addresses and networks of proxies whose forwarding headers are believed; from others they are ignored. */
  readonly trustedProxies?: readonly string[];
}

/** Where a server listens: a TCP address or a unix socket. */
export type ListenAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** An HTTP server around one fastify application. */
export interface HttpServer extends AsyncDisposable {
  readonly app: HttpApplication;
  /** Fires when {@link close} is called, so that long polls and streams can end by themselves. */
  readonly closing: AbortSignal;
  /** Starts to listen and gives the address, with the port chosen for port 0. */
  listen(address: ListenAddress): Promise<ListenAddress>;
  /** Accepts nothing new, lets requests under way finish for `graceMs` (5 s), then ends every connection. */
  close(graceMs?: number): Promise<void>;
}

const DEFAULT_BODY_LIMIT_BYTES = 1024 * 1024;
const DEFAULT_BODY_TIMEOUT_MS = 60_000;
const DEFAULT_GRACE_MS = 5_000;
/** What is wrong with one value by every variant of a union; otherwise TypeBox stops at 8, before the one that was meant. */
const MAX_SCHEMA_PROBLEMS = 64;
Settings.Set({ maxErrors: MAX_SCHEMA_PROBLEMS });

/** A server that maps errors, bounds requests and takes over connections; it does not listen yet. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const closing = new AbortController();
  const connections = new Connections();
  const { trustedProxies = [] } = options;
  const believe = trustedProxies.length === 0 ? unchanged : believing(new TrustedProxies(trustedProxies));
  const app: HttpApplication = fastify({
    serverFactory: (handler) => connections.follow(createNodeServer(believe(handler), options)),
    // What is left of the headers is what trusted proxies say, one address.
    trustProxy: trustedProxies.length > 0,
    bodyLimit: options.bodyLimitBytes ?? DEFAULT_BODY_LIMIT_BYTES,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 4096 },
    rewriteUrl: (request) => options.rewriteUrl?.(request.url ?? '/') ?? request.url ?? '/',
    forceCloseConnections: 'idle',
    schemaErrorFormatter: (errors, part) => new Error(describeSchemaProblems(errors, part)),
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setValidatorCompiler(TypeBoxValidatorCompiler);
  acceptEmptyJson(app, options.bodyTimeoutMs ?? DEFAULT_BODY_TIMEOUT_MS);
  const handleError = errorHandler(options.errorResponse ?? plainErrorResponse, options.logger);
  app.setErrorHandler(handleError);
  app.setNotFoundHandler(async (request, reply) => handleError(noSuchRoute(request), request, reply));

  const close = async (graceMs = DEFAULT_GRACE_MS): Promise<void> => {
    closing.abort(
      new VicError({ class: 'Unavailable', code: 'HTTP_SERVER_CLOSING', message: 'The server is shutting down.' }),
    );
    connections.endUngreeted();
    const timer = setTimeout(() => connections.endAll(), graceMs);
    try {
      await app.close();
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    app,
    closing: closing.signal,
    listen: async (address) => listen(app, address),
    close,
    [Symbol.asyncDispose]: async () => close(),
  };
}

function unchanged(handler: RequestListener): RequestListener {
  return handler;
}

function believing(proxies: TrustedProxies): typeof unchanged {
  return (handler) => (request, response) => {
    proxies.apply(request);
    handler(request, response);
  };
}

async function listen(app: HttpApplication, address: ListenAddress): Promise<ListenAddress> {
  try {
    await app.listen({ ...address });
  } catch (error) {
    throw listenFailure('path' in address ? address.path : `${address.host}:${address.port}`, error);
  }
  if ('path' in address) return address;
  const bound = app.server.address() as AddressInfo;
  return { host: address.host, port: bound.port };
}

function noSuchRoute(request: FastifyRequest): VicError {
  const path = request.originalUrl.split('?')[0] ?? '/';
  return new VicError({
    class: 'NotFound',
    code: 'HTTP_NO_ROUTE',
    message: `There is no ${request.method} ${path.slice(0, 200)} here.`,
  });
}
