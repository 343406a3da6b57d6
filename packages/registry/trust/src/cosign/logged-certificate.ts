import type { X509Certificate } from 'node:crypto';
import { parseCertificates } from '@vic/pki';

/**
 * Whether an entry of a transparency log, of any of Rekor's kinds, names the certificate.
 *
 * Otherwise one who watches the log for signatures in their name would not see this one.
 */
export function namesCertificate(body: Uint8Array, certificate: X509Certificate): boolean {
  return holds(JSON.parse(Buffer.from(body).toString('utf8')), certificate);
}

/** The first Rekor keeps PEM, the second one DER, both in base64. */
function holds(value: unknown, certificate: X509Certificate): boolean {
  if (typeof value === 'string') {
    const bytes = Buffer.from(value, 'base64');
    return bytes.equals(certificate.raw) || isPemOf(bytes.toString('latin1'), certificate);
  }
  return typeof value === 'object' && value !== null && Object.values(value).some((item) => holds(item, certificate));
}

function isPemOf(text: string, certificate: X509Certificate): boolean {
  if (!text.startsWith('-----BEGIN CERTIFICATE-----')) return false;
  return parseCertificates(text, 'a log entry')[0]?.raw.equals(certificate.raw) ?? false;
}
