import { X509Certificate } from 'node:crypto';
import { chainProblem, parseCertificates } from '@vic/pki';
import { type SignatureVerdict, accepted, rejected } from '../signature-verdict.ts';
import type { RuleOf } from '../trust-policy.ts';
import type { CosignSignature } from './cosign-signature.ts';
import { matchesPattern } from './name-pattern.ts';
import { isSignedWith } from './public-key-signature.ts';
import { CODE_SIGNING, type Signer, signerOf } from './signing-certificate.ts';
import { proofProblem } from './sigstore-proof.ts';
import { materialOf, materialOfKeys } from './trusted-root.ts';

type IdentityRule = RuleOf<'cosign-identity'>;

/** What a `cosign-identity` rule says of a signature. */
export function verifyWithIdentity(rule: IdentityRule, signature: CosignSignature, nowMs: number): SignatureVerdict {
  if (signature.certificate === undefined) return rejected('carries no certificate');
  const certificates = readAll([signature.certificate, ...signature.intermediates]);
  const [leaf, ...intermediates] = certificates ?? [];
  const signer = leaf === undefined ? undefined : signerOf(leaf);
  if (leaf === undefined || signer === undefined) return rejected('carries an unreadable certificate');
  if (!isSignedWith(leaf.publicKey, signature.signedBytes, signature.signature)) {
    return rejected('does not verify with its own certificate');
  }
  const problem =
    rule.trustedRoot === undefined
      ? problemByAuthorities(rule, signature, { leaf, intermediates, nowMs })
      : proofProblem(signature, materialOf(rule.trustedRoot), leaf);
  if (problem !== undefined) return rejected(problem);
  if (!signer.maySignCode) return rejected('was made with a certificate that may not sign code');
  return judgeIdentity(rule, signer);
}

/** The way of authorities that are not an instance of sigstore: no certificate log, and no log at all without its key. */
function problemByAuthorities(
  rule: IdentityRule,
  signature: CosignSignature,
  chain: {
    readonly leaf: X509Certificate;
    readonly intermediates: readonly X509Certificate[];
    readonly nowMs: number;
  },
): string | undefined {
  const { leaf, intermediates, nowMs } = chain;
  const authorities = parseCertificates(rule.authorities ?? '', rule.name);
  const problemAt = (atMs: number): string | undefined => {
    const problem = chainProblem(leaf, intermediates.filter(mayBeForCode), authorities, atMs);
    return problem === undefined ? undefined : `is not trusted: ${problem}`;
  };
  if (rule.logKey === undefined) return problemAt(nowMs);
  let untrusted: string | undefined;
  // The times that are proven are told to whoever judges the key: this is where the certificate has to be valid.
  const isTrustedAt = (time: Date): boolean => {
    untrusted ??= problemAt(time.getTime());
    return untrusted === undefined;
  };
  const problem = proofProblem(signature, materialOfKeys(rule.logKey, signature.bundle), leaf, isTrustedAt);
  return untrusted ?? problem;
}

/** What an authority may be for, those below it may be for; one that does not say may be for anything. */
function mayBeForCode({ keyUsage }: X509Certificate): boolean {
  const usages: readonly string[] = keyUsage ?? [];
  return usages.length === 0 || usages.includes(CODE_SIGNING);
}

function judgeIdentity(rule: IdentityRule, { names, issuer }: Signer): SignatureVerdict {
  const name = names.find((candidate) => matchesPattern(rule.subject, candidate));
  if (name === undefined) {
    return rejected(`was made by ${names.join(', ') || 'nobody'}, who is not named in the rule`);
  }
  if (rule.issuer !== undefined && !matchesPattern(rule.issuer, issuer ?? '')) {
    return rejected(`was vouched for by ${issuer ?? 'nobody'}, whom the rule does not name`);
  }
  return accepted(`${rule.name} (${name})`);
}

function readAll(certificates: readonly Uint8Array[]): readonly X509Certificate[] | undefined {
  try {
    return certificates.map((bytes) => new X509Certificate(bytes));
  } catch {
    return undefined;
  }
}
