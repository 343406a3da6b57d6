import { X509Certificate, createPublicKey } from 'node:crypto';
import { VicError } from '@vic/errors';
import { chainProblem, parseCertificates } from '@vic/pki';
import type { RuleOf } from '../trust-policy.ts';
import { type SignatureVerdict, accepted, rejected } from '../signature-verdict.ts';
import { matchesIdentity } from './certificate-identity.ts';
import { isSignedWith } from './public-key-signature.ts';
import { integrationTimeMs } from './transparency-log.ts';

/** A signature of cosign, whichever way it was stored. */
export interface CosignSignature {
  /** What the signature is over. */
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
  /** The digest that the signed statement is about. */
  readonly subjectDigest: string;
  /** The signer's certificate; absent for key pairs. */
  readonly certificate: Uint8Array | undefined;
  readonly intermediates: readonly Uint8Array[];
  /** The transparency log's promise, as Rekor gives it. */
  readonly logEntry: LogEntry | undefined;
}

/** An entry of a transparency log with its signed promise. */
export interface LogEntry {
  readonly body: string;
  readonly integratedTimeS: number;
  readonly logIndex: number;
  readonly logId: string;
  /** Base64. */
  readonly promise: string;
}

/** What a `cosign-key` rule says of a signature. */
export function verifyWithKey(rule: RuleOf<'cosign-key'>, signature: CosignSignature): SignatureVerdict {
  const key = createPublicKey(rule.key);
  return isSignedWith(key, signature.signedBytes, signature.signature)
    ? accepted(rule.name)
    : rejected('was made by another key');
}

/** What a `cosign-identity` rule says of a signature. */
export function verifyWithIdentity(
  rule: RuleOf<'cosign-identity'>,
  signature: CosignSignature,
  nowMs: number,
): SignatureVerdict {
  if (signature.certificate === undefined) return rejected('carries no certificate');
  const leaf = readCertificate(signature.certificate);
  const intermediates = signature.intermediates.map(readCertificate);
  if (leaf === undefined || intermediates.includes(undefined)) return rejected('carries an unreadable certificate');
  if (!isSignedWith(leaf.publicKey, signature.signedBytes, signature.signature)) {
    return rejected('does not verify with its own certificate');
  }
  const signedAtMs = rule.logKey === undefined ? nowMs : integrationTimeMs(rule.logKey, signature);
  if (signedAtMs === undefined) return rejected('is not in the trusted transparency log');
  const authorities = parseCertificates(rule.authorities, rule.name);
  const known = intermediates.filter((certificate) => certificate !== undefined);
  const problem = chainProblem(leaf, known, authorities, signedAtMs);
  if (problem !== undefined) return rejected(`is not trusted: ${problem}`);
  return matchesIdentity(leaf, rule)
    ? accepted(`${rule.name} (${leaf.subjectAltName ?? leaf.subject})`)
    : rejected(`was made by ${leaf.subjectAltName ?? leaf.subject}, who is not named in the rule`);
}

/** The error of a stored signature that cannot be read. */
export function unreadable(problem: string, cause?: unknown): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'SIGNATURE_UNREADABLE',
    message: `The signature ${problem}.`,
    ...(cause === undefined ? {} : { cause }),
  });
}

function readCertificate(bytes: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(bytes);
  } catch {
    return undefined;
  }
}
