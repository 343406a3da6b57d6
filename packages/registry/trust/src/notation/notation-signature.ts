import { X509Certificate, constants, verify } from 'node:crypto';
import { chainProblem, parseCertificates } from '@vic/pki';
import { type SignatureVerdict, accepted, rejected } from '../signature-verdict.ts';
import type { RuleOf } from '../trust-policy.ts';
import { hasDistinguishedName } from './distinguished-name.ts';

/** What a Notary Project signature says, in either envelope (notaryproject specifications, signature-specification). */
export interface NotationSignature {
  readonly algorithm: NotationAlgorithm;
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
  /** Leaf first, DER. */
  readonly certificates: readonly Uint8Array[];
  readonly subjectDigest: string;
  readonly scheme: string;
  readonly expiresAtMs: number | undefined;
  /** Attributes that have to be understood. */
  readonly critical: readonly string[];
}

/** The algorithms the specification allows. */
export type NotationAlgorithm = 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512';

const SCHEME = 'notary.x509';
const UNDERSTOOD = ['io.cncf.notary.signingScheme', 'io.cncf.notary.expiry'];
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';

/** What a `notation` rule says of a signature. */
export function verifyNotation(
  rule: RuleOf<'notation'>,
  signature: NotationSignature,
  nowMs: number,
): SignatureVerdict {
  const certificates = signature.certificates.map((der) => new X509Certificate(der));
  const [leaf, ...intermediates] = certificates;
  if (leaf === undefined) return rejected('carries no certificate');
  if (!isSignedBy(leaf, signature)) return rejected('does not verify with its own certificate');
  if (signature.scheme !== SCHEME) return rejected(`uses the scheme ${signature.scheme}, which is not supported`);
  const strange = signature.critical.find((name) => !UNDERSTOOD.includes(name));
  if (strange !== undefined) return rejected(`needs the attribute ${strange} to be understood`);
  if (signature.expiresAtMs !== undefined && signature.expiresAtMs <= nowMs) return rejected('has expired');
  // Without a trusted timestamp the claimed time proves nothing: the certificate has to be valid now.
  const problem = chainProblem(leaf, intermediates, parseCertificates(rule.authorities, rule.name), nowMs);
  if (problem !== undefined) return rejected(`is not trusted: ${problem}`);
  const usages: readonly string[] = leaf.keyUsage ?? [];
  if (usages.length > 0 && !usages.includes(CODE_SIGNING))
    return rejected('was made with a certificate for other uses');
  const { subjects } = rule;
  if (subjects !== undefined && !subjects.some((subject) => hasDistinguishedName(leaf.subject, subject))) {
    return rejected(`was made by ${leaf.subject.replaceAll('\n', ', ')}, who is not named in the rule`);
  }
  return accepted(`${rule.name} (${leaf.subject.replaceAll('\n', ', ')})`);
}

function isSignedBy(leaf: X509Certificate, { algorithm, signedBytes, signature }: NotationSignature): boolean {
  const hash = `sha${algorithm.slice(2)}`;
  const key = leaf.publicKey;
  try {
    if (algorithm.startsWith('ES')) {
      return key.asymmetricKeyType === 'ec' && verify(hash, signedBytes, { key, dsaEncoding: 'ieee-p1363' }, signature);
    }
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
    return key.asymmetricKeyType === 'rsa' && verify(hash, signedBytes, { key, padding, saltLength }, signature);
  } catch {
    return false;
  }
}
