import { describeError } from '@vic/errors';
import type { ContentDigest } from '@vic/oci';
import type { Database } from '@vic/sql';
import { verifyWithIdentity } from './cosign/identity-rule.ts';
import { verifyWithKey } from './cosign/key-rule.ts';
import { verifyNotation } from './notation/notation-signature.ts';
import { type SignatureVerdict, rejected } from './signature-verdict.ts';
import type { StoredSignature, StoredSignatures } from './stored-signatures.ts';
import type { TrustPolicy, TrustRule } from './trust-policy.ts';

/** Ways to sign: Harbor's two switches, the second of which also covers Notary v1, as it did in the original. */
export type TrustFamily = 'cosign' | 'notation';

/** Whether an artifact is trusted, and why. */
export interface TrustVerdict {
  readonly trusted: boolean;
  /** Who vouches for it, or a sentence that says why nobody does. */
  readonly reason: string;
  /** Every signature that was looked at, with what was found. */
  readonly signatures: readonly { readonly digest: string; readonly family: TrustFamily; readonly result: string }[];
}

/** An artifact to be judged. */
export interface TrustSubject {
  readonly repository: string;
  readonly digest: ContentDigest;
}

/** Targets of Notary v1; implemented by the notary. */
export interface TrustedCollections {
  /** Whether the collection of the repository lists that digest as a target. */
  isTarget(repository: string, digest: ContentDigest): Promise<boolean>;
}

/** What {@link TrustVerifier} is composed of. */
export interface TrustVerifierDeps {
  readonly database: Database;
  readonly signatures: StoredSignatures;
  readonly collections: TrustedCollections;
  readonly now: () => number;
}

/** Judges artifacts by their signatures. */
export class TrustVerifier {
  readonly #deps: TrustVerifierDeps;

  constructor(deps: TrustVerifierDeps) {
    this.#deps = deps;
  }

  /** Whether the artifact, or an index that lists it, is trusted by a rule of the family. */
  async judge(policy: TrustPolicy, family: TrustFamily, subject: TrustSubject): Promise<TrustVerdict> {
    const rules = policy.rules.filter((rule) => familyOf(rule) === family);
    if (rules.length === 0) {
      return { trusted: false, reason: `the trust policy of the project has no rule for ${family}`, signatures: [] };
    }
    const own = await this.#judgeOne(rules, family, subject);
    if (own.trusted) return own;
    for (const digest of await this.#indexesOf(subject)) {
      const verdict = await this.#judgeOne(rules, family, { ...subject, digest });
      if (verdict.trusted) return verdict;
    }
    return own;
  }

  async #judgeOne(rules: readonly TrustRule[], family: TrustFamily, subject: TrustSubject): Promise<TrustVerdict> {
    const looked: TrustVerdict['signatures'][number][] = [];
    if (rules.some(({ kind }) => kind === 'notary')) {
      const isTarget = await this.#deps.collections.isTarget(subject.repository, subject.digest);
      if (isTarget) return { trusted: true, reason: 'a target of its collection in Notary', signatures: looked };
    }
    const { signatures } = this.#deps;
    const digests = await signatures.find(subject.repository, subject.digest);
    for await (const signature of signatures.read(subject.repository, digests)) {
      if (signature.family !== family) continue;
      const { digest } = signature;
      const verdict = this.#judgeSignature(rules, signature, subject.digest);
      looked.push({ digest, family, result: verdict.accepted ? `accepted by ${verdict.by}` : verdict.reason });
      if (verdict.accepted) return { trusted: true, reason: verdict.by, signatures: looked };
    }
    return { trusted: false, reason: explain(looked), signatures: looked };
  }

  #judgeSignature(rules: readonly TrustRule[], signature: StoredSignature, digest: ContentDigest): SignatureVerdict {
    if (signature.content === undefined) return rejected(`cannot be read: ${signature.problem}`);
    // The place a signature is stored at says nothing: what was signed has to name the artifact.
    if (signature.content.subjectDigest !== digest) return rejected('is of another artifact');
    if ('attests' in signature.content && signature.content.attests !== undefined) {
      return rejected(`is an attestation (${signature.content.attests}), which does not approve of the artifact`);
    }
    const reasons: string[] = [];
    for (const rule of rules) {
      const verdict = this.#applySafely(rule, signature);
      if (verdict === undefined) continue;
      if (verdict.accepted) return verdict;
      reasons.push(`${verdict.reason} (rule ${rule.name})`);
    }
    return rejected(reasons.join('; ') || 'is of a kind that no rule is about');
  }

  /** Whoever may push chooses what is in a signature: it must not make the artifact unusable. */
  #applySafely(rule: TrustRule, signature: StoredSignature): SignatureVerdict | undefined {
    try {
      return this.#apply(rule, signature);
    } catch (error) {
      return rejected(`cannot be verified: ${describeError(error)}`);
    }
  }

  #apply(rule: TrustRule, signature: StoredSignature): SignatureVerdict | undefined {
    if (signature.content === undefined) return undefined;
    const nowMs = this.#deps.now();
    if (signature.family === 'notation') {
      return rule.kind === 'notation' ? verifyNotation(rule, signature.content, nowMs) : undefined;
    }
    if (rule.kind === 'cosign-key') return verifyWithKey(rule, signature.content);
    return rule.kind === 'cosign-identity' ? verifyWithIdentity(rule, signature.content, nowMs) : undefined;
  }

  /** A platform's image is seldom signed by itself: the signature is the index's. */
  async #indexesOf({ repository, digest }: TrustSubject): Promise<readonly ContentDigest[]> {
    const rows = await this.#deps.database.db
      .selectFrom('artifact_references')
      .innerJoin('artifacts', 'artifacts.id', 'artifact_references.parent_id')
      .innerJoin('repositories', 'repositories.id', 'artifacts.repository_id')
      .select('artifacts.digest')
      .where('repositories.name', '=', repository)
      .where('artifact_references.child_digest', '=', digest)
      .limit(20)
      .execute();
    return rows.map((row) => row.digest as ContentDigest);
  }
}

function familyOf({ kind }: TrustRule): TrustFamily {
  return kind === 'cosign-key' || kind === 'cosign-identity' ? 'cosign' : 'notation';
}

function explain(looked: TrustVerdict['signatures']): string {
  if (looked.length === 0) return 'it has no signature';
  const [first] = looked;
  const count =
    looked.length === 1 ? 'its signature' : `none of its ${looked.length} signatures is accepted; the first`;
  return `${count} ${first?.result ?? ''}`;
}
