import { VicError } from '@vic/errors';
import type { ContentDigest } from '@vic/oci';
import type { LocalArtifacts } from '../peers/local-artifacts.ts';
import type { PromotionRequirements } from '../policies/replication-policy.ts';
import type { PromotionApprovals } from './promotion-approvals.ts';

/** An artifact that is to be promoted. */
export interface PromotionSubject {
  readonly artifactId: number;
  readonly projectId: number;
  /** With its project. */
  readonly repository: string;
  readonly digest: ContentDigest;
}

/** What other packages know of an artifact; each answer is `undefined` when it may pass, else the reason why not. */
export interface PromotionChecks {
  /** Scanned, with nothing of the severity `below` or worse. */
  scan?(subject: PromotionSubject, below: string): Promise<string | undefined>;
  /** Signed as the project's trust policy wants it. */
  signature?(subject: PromotionSubject): Promise<string | undefined>;
}

/** Decides whether a policy may promote an artifact. */
export interface PromotionGate {
  /** Why the artifact has to wait; `undefined` when it may travel. */
  holdReason(
    policy: { readonly id: number; readonly promotion: PromotionRequirements },
    subject: PromotionSubject,
  ): Promise<string | undefined>;
  /** Refuses requirements that nothing here can check. */
  validate(requirements: PromotionRequirements): void;
}

/** The gate over scan results, signatures, labels and approvals. */
export class RequirementsGate implements PromotionGate {
  readonly #checks: PromotionChecks;
  readonly #artifacts: LocalArtifacts;
  readonly #approvals: PromotionApprovals;

  constructor(deps: {
    readonly checks: PromotionChecks;
    readonly artifacts: LocalArtifacts;
    readonly approvals: PromotionApprovals;
  }) {
    this.#checks = deps.checks;
    this.#artifacts = deps.artifacts;
    this.#approvals = deps.approvals;
  }

  async holdReason(
    policy: { readonly id: number; readonly promotion: PromotionRequirements },
    subject: PromotionSubject,
  ): Promise<string | undefined> {
    const { scanBelow, signed, label, approved } = policy.promotion;
    if (label !== undefined && !(await this.#artifacts.labelsOf(subject.artifactId)).includes(label)) {
      return `it does not carry the label "${label}"`;
    }
    if (approved === true && !(await this.#approvals.isApproved(policy.id, subject.repository, subject.digest))) {
      return 'nobody has approved it';
    }
    const unscanned = scanBelow === undefined ? undefined : await this.#checks.scan?.(subject, scanBelow);
    if (unscanned !== undefined) return unscanned;
    return signed === true ? this.#checks.signature?.(subject) : undefined;
  }

  validate({ scanBelow, signed }: PromotionRequirements): void {
    if (scanBelow !== undefined && this.#checks.scan === undefined) throw uncheckable('scan');
    if (signed === true && this.#checks.signature === undefined) throw uncheckable('signature');
  }
}

function uncheckable(what: string): VicError {
  return new VicError({
    class: 'NotSupported',
    code: 'REPLICATION_PROMOTION_UNCHECKABLE',
    message: `Promotion by ${what} is not possible in this installation.`,
  });
}
