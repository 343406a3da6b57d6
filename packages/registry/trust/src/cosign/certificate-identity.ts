import type { X509Certificate } from 'node:crypto';
import { certificateExtension } from '@vic/pki';
import { matchesSelector } from '@vic/selectors';

/** Fulcio's issuer: the older extension holds plain text, the newer one a DER string (fulcio docs/oid-info.md). */
const ISSUER_V1 = '1.3.6.1.4.1.57264.1.1';
const ISSUER_V2 = '1.3.6.1.4.1.57264.1.8';

/** Whether the certificate is that of whom the rule names. */
export function matchesIdentity(
  certificate: X509Certificate,
  rule: { readonly subject: string; readonly issuer?: string },
): boolean {
  const subjects = subjectsOf(certificate);
  if (!subjects.some((subject) => matchesText(rule.subject, subject))) return false;
  return rule.issuer === undefined || matchesText(rule.issuer, issuerOf(certificate) ?? '');
}

/** `email:a@b, URI:https://…` without the kinds. */
function subjectsOf(certificate: X509Certificate): readonly string[] {
  return (certificate.subjectAltName ?? '')
    .split(', ')
    .map((name) => name.replace(/^(email|URI|DNS|IP Address|othername):/, '').replace(/^"(.*)"$/, '$1'))
    .filter((name) => name !== '');
}

function issuerOf(certificate: X509Certificate): string | undefined {
  const newer = certificateExtension(certificate.raw, ISSUER_V2);
  // Tag and length of a short UTF8String come first.
  if (newer !== undefined && newer.length > 2) return newer.subarray(newer.length - (newer[1] ?? 0)).toString('utf8');
  return certificateExtension(certificate.raw, ISSUER_V1)?.toString('utf8');
}

function matchesText(pattern: string, text: string): boolean {
  return pattern === text || (pattern.includes('*') && matchesSelector(pattern.replaceAll('*', '**'), text));
}
