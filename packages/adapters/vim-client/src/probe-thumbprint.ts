import { connect } from 'node:tls';
import { VicError } from '@vic/errors';

/** The fingerprints of the certificate that a server presents. */
export interface CertificateThumbprints {
  /** SHA-256, hexadecimal with colons. */
  readonly sha256: string;
  /** SHA-1, hexadecimal with colons; what older tools show. */
  readonly sha1: string;
}

const PROBE_TIMEOUT_MS = 10_000;

/** Asks a server for its certificate, without trusting it, so that a user can compare and pin the fingerprint. */
export async function probeThumbprint(host: string, port = 443, signal?: AbortSignal): Promise<CertificateThumbprints> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<CertificateThumbprints>();
  // Nothing is sent over this connection: looking at a certificate that is not trusted yet is its purpose.
  const socket = connect({ host, port, rejectUnauthorized: false, ...(isAddress(host) ? {} : { servername: host }) });
  const onAbort = (): void => void socket.destroy(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  socket.setTimeout(PROBE_TIMEOUT_MS, () => socket.destroy(new Error(`no answer within ${PROBE_TIMEOUT_MS} ms`)));
  socket.once('secureConnect', () => {
    const { fingerprint, fingerprint256 } = socket.getPeerCertificate();
    resolve({ sha256: fingerprint256, sha1: fingerprint });
  });
  socket.once('error', reject);
  socket.once('close', () => reject(new Error('the connection was closed')));
  try {
    return await promise;
  } catch (error) {
    signal?.throwIfAborted();
    throw unreachable(host, port, error);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    socket.destroy();
  }
}

function isAddress(host: string): boolean {
  return /^[\d.]+$|:/.test(host);
}

function unreachable(host: string, port: number, cause: unknown): VicError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new VicError({
    class: 'Unavailable',
    code: 'VIM_PROBE_FAILED',
    message: `The certificate of ${host}:${port} could not be read: ${reason}.`,
    cause,
  });
}
