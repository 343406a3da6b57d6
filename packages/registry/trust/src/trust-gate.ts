import type { Authorizer } from '@vic/authz';
import { VicError } from '@vic/errors';
import type { ArtifactGate, PullSubject } from '@vic/repositories';
import type { TrustPolicies } from './trust-policies.ts';
import type { TrustFamily, TrustVerifier } from './trust-verifier.ts';

/** What {@link TrustGate} is composed of. */
export interface TrustGateDeps {
  readonly policies: Pick<TrustPolicies, 'find'>;
  readonly verifier: TrustVerifier;
  readonly authorizer: Authorizer;
  /** The metadata of a project. */
  metadataOf(projectId: number): Promise<Readonly<Record<string, string>>>;
}

/** Harbor's two switches. */
const SWITCHES: readonly (readonly [key: string, family: TrustFamily])[] = [
  ['enable_content_trust_cosign', 'cosign'],
  ['enable_content_trust', 'notation'],
];
/** Clients that sign have to read what they sign. */
const SIGNERS = /\b(cosign|notation)\b/i;

/** Refuses to serve what nobody trusted has signed, in projects that want it. */
export class TrustGate implements ArtifactGate {
  readonly name = 'trust';
  readonly #deps: TrustGateDeps;

  constructor(deps: TrustGateDeps) {
    this.#deps = deps;
  }

  async beforePull(subject: PullSubject): Promise<void> {
    const { project, repository, artifact } = subject;
    // Signatures and other accessories are judged with what they belong to.
    if (artifact.accessoryType !== undefined) return;
    const metadata = await this.#deps.metadataOf(project.id);
    const wanted = SWITCHES.filter(([key]) => metadata[key] === 'true');
    if (wanted.length === 0 || (await this.#isExempt(subject))) return;
    const policy = await this.#deps.policies.find(project.id);
    for (const [, family] of wanted) {
      const verdict = await this.#deps.verifier.judge(policy, family, { repository, digest: artifact.digest });
      if (!verdict.trusted) throw unsigned(family, verdict.reason);
    }
  }

  async #isExempt({ project, actor }: PullSubject): Promise<boolean> {
    const may = async (action: 'push' | 'scanner-pull'): Promise<boolean> =>
      this.#deps.authorizer.isAllowed(actor.principal, { resource: 'repository', action }, project);
    if (actor.principal.kind === 'robot' && (await may('scanner-pull'))) return true;
    return SIGNERS.test(actor.userAgent ?? '') && may('push');
  }
}

function unsigned(family: TrustFamily, reason: string): VicError {
  return new VicError({
    class: 'FailedPrecondition',
    code: family === 'cosign' ? 'POLICY_UNSIGNED_COSIGN' : 'POLICY_UNSIGNED_NOTATION',
    message: `The image is not signed by ${family}. It is not trusted in this project: ${reason}.`,
    remedy: 'Sign it with a key that the trust policy of the project names.',
  });
}
