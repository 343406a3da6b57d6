import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import { BasicConstraintsExtension, X509Certificate as ReadCertificate } from '@peculiar/x509';
import { VicError } from '@vic/errors';

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;
/** Longer chains are not made by anybody; a bound for those who try. */
const MAX_CHAIN_LENGTH = 10;

/** All certificates of a PEM text; throws `InvalidArgument` when there is none or one cannot be read. */
export function parseCertificates(pem: string, what: string): readonly X509Certificate[] {
  const blocks = pem.match(PEM_CERTIFICATE) ?? [];
  try {
    if (blocks.length > 0) return blocks.map((block) => new X509Certificate(block));
  } catch {
    // Told below, in the same words as for no certificate at all.
  }
  throw new VicError({
    class: 'InvalidArgument',
    code: 'PKI_CERTIFICATES_INVALID',
    message: `${what} is not one PEM certificate or more.`,
  });
}

/**
 * Why a leaf is not vouched for by one of the authorities at that moment; `undefined` when it is.
 *
 * `intermediates` come with the leaf and are not trusted by themselves. An authority that is the leaf itself
 * counts, as for self-signed certificates that were trusted one by one.
 */
export function chainProblem(
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  atMs: number,
): string | undefined {
  let current = leaf;
  for (let depth = 0; depth < MAX_CHAIN_LENGTH; depth++) {
    if (!isValidAt(current, atMs)) return `the certificate of ${nameOf(current)} is not valid at the time of signing`;
    if (authorities.some((authority) => authority.raw.equals(current.raw))) return undefined;
    const authority = authorities.find((candidate) => isIssuedBy(current, candidate));
    const issuer = authority ?? intermediates.find((other) => other !== current && isIssuedBy(current, other));
    if (issuer === undefined) return `the certificate of ${nameOf(leaf)} was not issued by a trusted authority`;
    // All before this one but the leaf are authorities below it (RFC 5280, 4.2.1.9).
    if (depth > pathLengthOf(issuer)) return `the authority ${nameOf(issuer)} allows fewer authorities below it`;
    if (authority !== undefined) {
      return isValidAt(authority, atMs) ? undefined : `the authority ${nameOf(authority)} is not valid any more`;
    }
    current = issuer;
  }
  return `the chain of certificates is longer than ${MAX_CHAIN_LENGTH}`;
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function pathLengthOf(certificate: X509Certificate): number {
  const read = new ReadCertificate(new Uint8Array(certificate.raw));
  return read.getExtension(BasicConstraintsExtension)?.pathLength ?? Number.POSITIVE_INFINITY;
}

function isValidAt(certificate: X509Certificate, atMs: number): boolean {
  return certificate.validFromDate.getTime() <= atMs && atMs <= certificate.validToDate.getTime();
}

function nameOf(certificate: X509Certificate): string {
  return certificate.subject.replaceAll('\n', ', ') || certificate.subjectAltName || 'nobody';
}
