import { createPublicKey } from 'node:crypto';
import { VicError } from '@vic/errors';
import { parseCertificates } from '@vic/pki';
import { type Static, Type } from 'typebox';

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
            authorities: pem,
            /** Of the transparency log; proves when short-lived certificates were used. */
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
    if (rule.kind === 'cosign-key') requireKey(rule, rule.key);
    if (rule.kind === 'cosign-identity' && rule.logKey !== undefined) requireKey(rule, rule.logKey);
    if ('authorities' in rule) parseCertificates(rule.authorities, `authorities of the rule "${rule.name}"`);
  }
}

function requireKey(rule: TrustRule, key: string): void {
  try {
    createPublicKey(key);
  } catch {
    throw invalid(rule, 'has no public key in PEM form');
  }
  if (key.includes('PRIVATE KEY')) throw invalid(rule, 'has a private key; give the public one');
}

function invalid(rule: TrustRule, problem: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'TRUST_POLICY_INVALID',
    message: `The rule "${rule.name}" of the trust policy ${problem}.`,
  });
}
