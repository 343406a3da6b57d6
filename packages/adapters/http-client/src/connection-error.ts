import { VicError } from '@vic/errors';
import type { ErrorClass } from '@vic/errors';

type Explain = (host: string) => readonly [errorClass: ErrorClass, code: string, message: string];

const unknownAuthority: Explain = (host) => [
  'Unavailable',
  'HTTP_UNKNOWN_AUTHORITY',
  `${host}: tls: failed to verify certificate: x509: certificate signed by unknown authority`,
];
const closed: Explain = (host) => ['Unavailable', 'HTTP_CONNECTION_LOST', `${host}: connection reset by peer`];
const timedOut: Explain = (host) => ['DeadlineExceeded', 'HTTP_TIMEOUT', `${host}: i/o timeout`];
const stalled: Explain = (host) => ['DeadlineExceeded', 'HTTP_STALLED', `${host}: the transfer stalled (i/o timeout)`];

const EXPLANATIONS: Readonly<Record<string, Explain>> = {
  ENOTFOUND: (host) => ['Unavailable', 'HTTP_NO_SUCH_HOST', `dial tcp: lookup ${bare(host)}: no such host`],
  EAI_AGAIN: (host) => ['Unavailable', 'HTTP_NO_SUCH_HOST', `dial tcp: lookup ${bare(host)}: no such host`],
  ECONNREFUSED: (host) => ['Unavailable', 'HTTP_REFUSED', `dial tcp ${host}: connect: connection refused`],
  EHOSTUNREACH: (host) => ['Unavailable', 'HTTP_UNREACHABLE', `dial tcp ${host}: connect: no route to host`],
  ENETUNREACH: (host) => ['Unavailable', 'HTTP_UNREACHABLE', `dial tcp ${host}: connect: network is unreachable`],
  ECONNRESET: closed,
  EPIPE: closed,
  UND_ERR_SOCKET: closed,
  ETIMEDOUT: timedOut,
  UND_ERR_CONNECT_TIMEOUT: timedOut,
  UND_ERR_HEADERS_TIMEOUT: timedOut,
  UND_ERR_BODY_TIMEOUT: stalled,
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  CERT_HAS_EXPIRED: (host) => [
    'Unavailable',
    'HTTP_CERTIFICATE_EXPIRED',
    `${host}: tls: failed to verify certificate: x509: certificate has expired`,
  ],
  ERR_TLS_CERT_ALTNAME_INVALID: (host) => [
    'Unavailable',
    'HTTP_CERTIFICATE_NAME',
    `${host}: tls: failed to verify certificate: x509: certificate is not valid for ${bare(host)}`,
  ],
  ERR_SSL_WRONG_VERSION_NUMBER: (host) => [
    'Unavailable',
    'HTTP_NOT_TLS',
    `${host}: http: server gave HTTP response to HTTPS client`,
  ],
  ERR_SSL_PACKET_LENGTH_TOO_LONG: (host) => [
    'Unavailable',
    'HTTP_NOT_TLS',
    `${host}: http: server gave HTTP response to HTTPS client`,
  ],
};

/** The error a user understands for a failed connection or transfer to `host` (with its port). */
export function connectionError(error: unknown, host: string): unknown {
  if (error instanceof VicError || !(error instanceof Error) || error.name === 'AbortError') return error;
  const first = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  const code = codeOf(first) ?? codeOf(error.cause) ?? '';
  const explain = EXPLANATIONS[code];
  const [errorClass, vicCode, message] =
    explain === undefined ? (['Unavailable', 'HTTP_FAILED', `${host}: ${first.message}`] as const) : explain(host);
  return new VicError({ class: errorClass, code: vicCode, message, cause: error });
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : undefined;
}

function bare(host: string): string {
  return host.replace(/:\d+$/, '');
}
