import { VicError } from '@vic/errors';
import { parseCertificates } from '@vic/pki';
import { type Static, Type } from 'typebox';
import { isTrustedRoot, publicKeysOf, trustedRootProblem } from './cosign/trusted-root.ts';

const name = Type.String({ minLength: 1, maxLength: 100 });
const pem = Type.String({ minLength: 1, maxLength: 256 * 1024 });
const closed = { additionalProperties: false } as const;

/** The schema of {@link TrustPolicy}. */
export const TrustPolicySchema = Type.Object(
  {
    rules: Type.Array(
      Type.Union([
        /** Signatures of cosign, made with a key pair. */
        Type.Object({ kind: Type.Literal('cosign-key'), name, key: pem }, closed),
        /** Signatures of cosign, made with a certificate that names who signed (Fulcio's, or a company's own). */
        Type.Object(
          {
            kind: Type.Literal('cosign-identity'),
            name,
            /** Of an instance of sigstore, as it publishes it (`trusted_root.json`): this, or authorities. */
            trustedRoot: Type.Optional(Type.Object({}, { additionalProperties: true })),
            /** Intermediates as well, unless signatures bring them along. */
            authorities: Type.Optional(pem),
            /** Of transparency logs, which prove when short-lived certificates were used; otherwise those have to be valid now. */
            logKey: Type.Optional(pem),
            /** Who may have signed; `*` stands for anything. */
            subject: Type.String({ minLength: 1, maxLength: 500 }),
            /** Who vouched for the subject; any when absent. */
            issuer: Type.Optional(Type.String({ minLength: 1, maxLength: 500 })),
          },
          closed,
        ),
        /** Signatures of notation. */
        Type.Object(
          {
            kind: Type.Literal('notation'),
            name,
            authorities: pem,
            /** Distinguished names, of which the signer's must have every part; any signer when absent. */
            subjects: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 500 }), { maxItems: 100 })),
          },
          closed,
        ),
        /** Targets of the repository's collection in Notary v1. */
        Type.Object({ kind: Type.Literal('notary'), name }, closed),
      ]),
      { maxItems: 100 },
    ),
  },
  closed,
);

/** What a project trusts: an artifact is trusted when one rule of the wanted family accepts one of its signatures. */
export type TrustPolicy = Static<typeof TrustPolicySchema>;
/** One rule of a policy. */
export type TrustRule = TrustPolicy['rules'][number];
/** A rule of one kind. */
export type RuleOf<K extends TrustRule['kind']> = Extract<TrustRule, { kind: K }>;

/** Refuses a policy whose keys and certificates cannot be read, naming the rule. */
export function checkTrustPolicy(policy: TrustPolicy): void {
  const names = new Set<string>();
  for (const rule of policy.rules) {
    if (names.has(rule.name)) throw invalid(rule, 'has the name of another rule');
    names.add(rule.name);
    switch (rule.kind) {
      case 'cosign-key':
        // Only one would be used.
        if (requireKeys(rule, rule.key) > 1) throw invalid(rule, 'has more than one key; give each a rule of its own');
        break;
      case 'cosign-identity':
        requireRoots(rule);
        break;
      case 'notation':
        requireCertificates(rule, rule.authorities);
        break;
      case 'notary':
        break;
    }
  }
}

function requireRoots(rule: RuleOf<'cosign-identity'>): void {
  const { trustedRoot, authorities, logKey } = rule;
  if (trustedRoot === undefined) {
    if (authorities === undefined) throw invalid(rule, 'has neither a trustedRoot nor authorities');
    requireCertificates(rule, authorities);
    if (logKey !== undefined) requireKeys(rule, logKey);
    return;
  }
  if (authorities !== undefined || logKey !== undefined) {
    throw invalid(
      rule,
      'has a trustedRoot, which already names authorities and logs: leave out authorities and logKey',
    );
  }
  if (!isTrustedRoot(trustedRoot)) {
    throw invalid(rule, "has a trustedRoot that is not sigstore's trusted_root.json: its mediaType is another");
  }
  const problem = trustedRootProblem(trustedRoot);
  if (problem !== undefined) throw invalid(rule, `has a trustedRoot that ${problem}`);
}

function requireCertificates(rule: TrustRule, pem: string): void {
  if (pem.includes('PRIVATE KEY')) throw invalid(rule, 'has a private key among its authorities');
  try {
    parseCertificates(pem, 'authorities');
  } catch {
    throw invalid(rule, 'has authorities that are not certificates in PEM form');
  }
}

function requireKeys(rule: TrustRule, pem: string): number {
  if (pem.includes('PRIVATE KEY')) throw invalid(rule, 'has a private key; give the public one');
  try {
    const { length } = publicKeysOf(pem);
    if (length > 0) return length;
  } catch {
    // Told below, in the same words as for no key at all.
  }
  throw invalid(rule, 'has no public key in PEM form');
}

function invalid(rule: TrustRule, problem: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'TRUST_POLICY_INVALID',
    message: `The rule "${rule.name}" of the trust policy ${problem}.`,
  });
}
