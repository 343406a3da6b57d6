import type { X509Certificate } from 'node:crypto';
import { type ASN1Obj, X509Certificate as DerCertificate } from '@sigstore/core';

/** Whom a certificate is for. */
export interface Signer {
  /** E-mail addresses, URIs, DNS names and Fulcio's user names. */
  readonly names: readonly string[];
  /** Who vouched for the name: the OIDC provider. */
  readonly issuer: string | undefined;
  readonly maySignCode: boolean;
}

/** The extended key usage of those who sign code (RFC 5280, 4.2.1.12). */
export const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const ALTERNATIVE_NAMES = '2.5.29.17';
/** Fulcio's extensions: the older issuer is plain text, the newer one a UTF8String (fulcio docs/oid-info.md). */
const ISSUER_V1 = '1.3.6.1.4.1.57264.1.1';
const ISSUER_V2 = '1.3.6.1.4.1.57264.1.8';
const USER_NAME = '1.3.6.1.4.1.57264.1.7';
/** GeneralName of RFC 5280, 4.2.1.6: those that hold text. */
const TEXT_TAGS = [1, 2, 6];

/** Reads whom a certificate is for; `undefined` when it cannot be read. */
export function signerOf(certificate: X509Certificate): Signer | undefined {
  try {
    const read = DerCertificate.parse(Buffer.from(certificate.raw));
    const usages: readonly string[] = certificate.keyUsage ?? [];
    return { names: namesOf(read), issuer: issuerOf(read), maySignCode: usages.includes(CODE_SIGNING) };
  } catch {
    return undefined;
  }
}

function namesOf(certificate: DerCertificate): readonly string[] {
  const names = certificate.extension(ALTERNATIVE_NAMES)?.valueObj.subs[0]?.subs ?? [];
  return names.map(nameOf).filter((name) => name !== undefined);
}

function nameOf({ tag, value, subs }: ASN1Obj): string | undefined {
  if (TEXT_TAGS.some((number) => tag.isContextSpecific(number))) return value.toString('utf8');
  const [kind, name] = subs;
  const isUserName = tag.isContextSpecific(0) && kind?.toOID() === USER_NAME;
  return isUserName ? name?.subs[0]?.value.toString('utf8') : undefined;
}

function issuerOf(certificate: DerCertificate): string | undefined {
  const newer = certificate.extension(ISSUER_V2);
  if (newer !== undefined) return newer.valueObj.subs[0]?.value.toString('utf8');
  return certificate.extension(ISSUER_V1)?.value.toString('utf8');
}
