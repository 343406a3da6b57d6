import { X509Certificate, createPrivateKey } from 'node:crypto';
import { isIP } from 'node:net';
import { VicError } from '@vic/errors';

/** What can be read from a certificate. */
export interface CertificateSummary {
  readonly subject: string;
  readonly issuer: string;
  readonly notAfter: Date;
  /** SHA-1 of its DER form, upper-case hexadecimal pairs with colons: vSphere's thumbprint. */
  readonly thumbprint: string;
  /** SHA-256 in the same form. */
  readonly thumbprint256: string;
}

/** Reads one PEM certificate; refuses anything else, naming `what`. */
export function readCertificate(pem: string, what: string): CertificateSummary {
  const certificate = parse(pem, what);
  return {
    subject: certificate.subject.replaceAll('\n', ', '),
    issuer: certificate.issuer.replaceAll('\n', ', '),
    notAfter: new Date(certificate.validTo),
    thumbprint: certificate.fingerprint,
    thumbprint256: certificate.fingerprint256,
  };
}

/** Checks that key and certificate belong together and have not expired; refuses otherwise, naming `what`. */
export function assertCredential(certificatePem: string, keyPem: string, what: string, now: Date): void {
  const certificate = parse(certificatePem, what);
  let matches: boolean;
  try {
    matches = certificate.checkPrivateKey(createPrivateKey(keyPem));
  } catch (cause) {
    throw invalid(`The private key of ${what} cannot be read.`, cause);
  }
  if (!matches) throw invalid(`The private key of ${what} does not belong to its certificate.`);
  if (new Date(certificate.validTo) < now)
    throw invalid(`The certificate of ${what} expired on ${certificate.validTo}.`);
}

/** Whether a server that presents the certificate may be reached as `host` (a name or an IP address). */
export function certificateCovers(pem: string, host: string): boolean {
  const certificate = parse(pem, 'the server');
  return (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined;
}

function parse(pem: string, what: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw invalid(`The certificate of ${what} cannot be read: it is not a PEM certificate.`, cause);
  }
}

function invalid(message: string, cause?: unknown): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'PKI_CREDENTIAL_INVALID',
    message,
    remedy: 'Give a PEM certificate and the unencrypted PEM private key it was issued for.',
    ...(cause === undefined ? {} : { cause }),
  });
}
