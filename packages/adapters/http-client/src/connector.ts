import { lookup } from 'node:dns';
import { request as httpRequest } from 'node:http';
import { type LookupFunction, type Socket, isIP } from 'node:net';
import { createSecureContext, rootCertificates, TLSSocket } from 'node:tls';
import { VicError } from '@vic/errors';
import { buildConnector } from 'undici';
import { proxyFor } from './proxy.ts';
import type { ProxySettings } from './proxy.ts';

/** Whom to trust behind `https:`; the public authorities when nothing is set. */
export interface TlsTrust {
  /** PEM certificates of authorities trusted besides the public ones. */
  readonly ca?: string | readonly string[];
  /** SHA-256 or SHA-1 fingerprint of the one certificate accepted, colons optional; the chain and name are then not checked. */
  readonly thumbprint?: string;
  /** Client certificate and key, PEM. */
  readonly certificate?: string;
  readonly key?: string;
  /** Accepts any certificate. Only for registries the administrator listed as insecure. */
  readonly insecure?: boolean;
}

/** What {@link createConnector} needs. */
export interface ConnectorOptions {
  readonly tls: TlsTrust;
  readonly proxy: ProxySettings | undefined;
  readonly connectTimeoutMs: number;
  /** Throws for an IP address that must not be connected to; asked for each address a name stands for. */
  readonly checkAddress?: ((address: string) => void) | undefined;
}

/** A connector that tunnels through the proxy where one applies and checks the pinned certificate before a byte is sent. */
export function createConnector(options: ConnectorOptions): buildConnector.connector {
  const pinned = options.tls.thumbprint === undefined ? undefined : normalizeThumbprint(options.tls.thumbprint);
  let connector: buildConnector.connector | undefined;
  const direct: buildConnector.connector = (...call) => {
    connector ??= createDirectConnector(options, pinned !== undefined);
    connector(...call);
  };
  return (target, callback) => {
    const refusal = refusedLiteral(target.hostname, options.checkAddress);
    if (refusal !== undefined) return callback(refusal, null);
    const done: buildConnector.Callback = (...result) => {
      const [error, socket] = result;
      if (error !== null || pinned === undefined || !(socket instanceof TLSSocket)) return callback(...result);
      const mismatch = checkThumbprint(socket, pinned, target.hostname);
      if (mismatch === undefined) return callback(null, socket);
      socket.destroy();
      return callback(mismatch, null);
    };
    if (target.protocol !== 'https:') return direct(target, done);
    let proxy: URL | undefined;
    try {
      proxy = proxyFor(new URL(`https://${target.host ?? target.hostname}`), options.proxy);
    } catch (error) {
      return callback(error as Error, null);
    }
    if (proxy === undefined) return direct(target, done);
    openTunnel(proxy, target, options.connectTimeoutMs, (error, httpSocket) => {
      if (httpSocket === undefined) callback(error ?? proxyError(proxy, 'did not connect'), null);
      else direct({ ...target, httpSocket }, done);
    });
  };
}

function createDirectConnector(options: ConnectorOptions, isPinned: boolean): buildConnector.connector {
  const { ca, certificate, key, insecure } = options.tls;
  return buildConnector({
    timeout: options.connectTimeoutMs,
    rejectUnauthorized: !isPinned && insecure !== true,
    // A resumed session carries no certificate to compare with the thumbprint.
    ...(isPinned ? { maxCachedSessions: 0 } : {}),
    // Made once: to read all public authorities for each connection would stop the program for 20 ms each time.
    secureContext: createSecureContext({
      ...(ca === undefined ? {} : { ca: [...rootCertificates, ...[ca].flat()] }),
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(key === undefined ? {} : { key }),
    }),
    ...(options.checkAddress === undefined ? {} : { lookup: checkedLookup(options.checkAddress) }),
  });
}

/** Names are looked up and checked at the connection itself: a name cannot come to mean something else in between. */
function checkedLookup(check: (address: string) => void): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '');
      try {
        for (const { address } of addresses) check(address);
      } catch (refusal) {
        return callback(refusal as NodeJS.ErrnoException, '');
      }
      const [first] = addresses;
      if (options.all === true) return callback(null, addresses);
      return callback(null, first?.address ?? '', first?.family);
    });
  };
}

/** An address that is written out is never looked up. */
function refusedLiteral(hostname: string, check: ((address: string) => void) | undefined): Error | undefined {
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  if (check === undefined || isIP(address) === 0) return undefined;
  try {
    check(address);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

// A fingerprint as bare upper-case hexadecimal digits, or an error when it is neither SHA-1 nor SHA-256.
function normalizeThumbprint(thumbprint: string): string {
  const digits = thumbprint.replaceAll(':', '').toUpperCase();
  if (!/^(?:[0-9A-F]{40}|[0-9A-F]{64})$/.test(digits)) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'HTTP_THUMBPRINT_INVALID',
      message: `"${thumbprint.slice(0, 100)}" is not a certificate thumbprint.`,
      remedy: 'Give the SHA-256 or SHA-1 fingerprint in hexadecimal.',
    });
  }
  return digits;
}

function checkThumbprint(socket: TLSSocket, pinned: string, host: string): VicError | undefined {
  const certificate = socket.getPeerCertificate();
  const presented = pinned.length === 40 ? certificate.fingerprint : certificate.fingerprint256;
  if (presented !== undefined && normalizeThumbprint(presented) === pinned) return undefined;
  return new VicError({
    class: 'Unavailable',
    code: 'HTTP_THUMBPRINT_MISMATCH',
    message: `The certificate of ${host} does not have the expected thumbprint; it presented ${presented ?? 'none'}.`,
    remedy: 'Check the host, and give that thumbprint if you trust it.',
  });
}

function openTunnel(
  proxy: URL,
  target: buildConnector.Options,
  timeoutMs: number,
  done: (error: Error | undefined, socket?: Socket) => void,
): void {
  const authority = `${target.hostname}:${target.port === '' ? '443' : target.port}`;
  const request = httpRequest({
    host: proxy.hostname,
    port: proxy.port === '' ? 80 : Number(proxy.port),
    method: 'CONNECT',
    path: authority,
    headers: { host: authority, ...proxyAuthorization(proxy) },
    agent: false,
    timeout: timeoutMs,
  });
  request.on('connect', (response, socket) => {
    if (response.statusCode === 200) return done(undefined, socket);
    socket.destroy();
    return done(proxyError(proxy, `answered ${response.statusCode} to a connection to ${authority}`));
  });
  request.on('timeout', () => request.destroy(proxyError(proxy, 'did not answer in time')));
  request.on('error', (error) => done(error instanceof VicError ? error : proxyError(proxy, error.message)));
  request.end();
}

function proxyAuthorization(proxy: URL): Record<string, string> {
  if (proxy.username === '') return {};
  const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` };
}

function proxyError(proxy: URL, reason: string): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'HTTP_PROXY_FAILED',
    message: `The proxy ${proxy.host} ${reason}.`,
    remedy: 'Check the proxy settings.',
  });
}
