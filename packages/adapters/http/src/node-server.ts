import { type IncomingMessage, type RequestListener, type Server, ServerResponse, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** The identity of a TLS server, and whom it trusts. */
export interface TlsOptions {
  /** PEM chain, leaf first. */
  readonly certificate: string;
  readonly privateKey: string;
  /** PEM authorities of client certificates; absent means that none are asked for. */
  readonly clientAuthorities?: string;
  /** Whether a connection without a valid client certificate is refused in the handshake. True when absent. */
  readonly requireClientCertificate?: boolean;
}

/** A peer that cannot send its headers in this time is not a client. */
const HEADERS_TIMEOUT_MS = 30_000;
/** Longer than the usual idle time of clients' pools, so that they and not we close idle connections. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
const MAX_HEADER_BYTES = 32 * 1024;

/** Whether the request asked for an upgrade that the server accepts, so that its socket is already ours. */
export function isUpgradedRequest(request: IncomingMessage): boolean {
  return upgradeStreams.has(request);
}

/** A node server whose upgrade requests go through the same handler as all others. */
export function createNodeServer(
  handler: RequestListener,
  options: { readonly tls?: TlsOptions; readonly upgradeProtocols?: readonly string[] },
): Server {
  const protocols = (options.upgradeProtocols ?? []).map((protocol) => protocol.toLowerCase());
  const settings = {
    headersTimeout: HEADERS_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    // Bodies may stream for hours (an image being loaded); buffered ones have a deadline of their own.
    requestTimeout: 0,
    shouldUpgradeCallback: (request: IncomingMessage) =>
      protocols.includes((request.headers.upgrade ?? '').toLowerCase()),
  };
  const server =
    options.tls === undefined
      ? createServer(settings, handler)
      : createTlsServer({ ...settings, ...tlsSettings(options.tls) }, handler);
  server.on('upgrade', (request, stream, head) => serveUpgrade(handler, request, stream, head));
  return server;
}

function tlsSettings(tls: TlsOptions): Record<string, unknown> {
  return {
    cert: tls.certificate,
    key: tls.privateKey,
    minVersion: 'TLSv1.2',
    ...(tls.clientAuthorities === undefined
      ? {}
      : {
          ca: tls.clientAuthorities,
          requestCert: true,
          rejectUnauthorized: tls.requireClientCertificate ?? true,
        }),
  };
}

/** The streams of upgrade requests; see {@link upgradeStreamOf}. */
const upgradeStreams = new WeakMap<IncomingMessage, Duplex>();

/**
 * The stream behind an upgrade request.
 *
 * It is the connection itself when the body was complete with the head. Otherwise node gives a stream that
 * begins after the body, and the connection itself must not be read.
 */
export function upgradeStreamOf(request: IncomingMessage): Duplex | undefined {
  return upgradeStreams.get(request);
}

function serveUpgrade(handler: RequestListener, request: IncomingMessage, stream: Duplex, head: Buffer): void {
  stream.on('error', () => stream.destroy());
  if (head.length > 0) stream.unshift(head);
  upgradeStreams.set(request, stream);
  const response = new ServerResponse(request);
  // The parser has let go of the connection: it serves this one request.
  response.shouldKeepAlive = false;
  // A response only needs a stream to write to and its `close`; the type asks for more.
  const connection = stream as Socket;
  response.assignSocket(connection);
  response.once('finish', () => {
    response.detachSocket(connection);
    stream.end(() => stream.destroy());
  });
  handler(request, response);
}
