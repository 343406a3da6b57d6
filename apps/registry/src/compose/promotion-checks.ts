import type { PromotionChecks } from '@vic/replication';
import type { Scanning } from '@vic/scanning';
import { severityOfWord, severityRank } from '@vic/vulnerabilities';
import type { Trust } from './trust.ts';

/** What promotion can be made to depend on: a clean scan, and a signature that the project trusts. */
export function promotionChecks(scanning: () => Scanning, trust: Trust): PromotionChecks {
  return {
    scan: async ({ artifactId, projectId }, below) => scanHoldReason(scanning(), { artifactId, projectId }, below),
    signature: async ({ projectId, repository, digest }) => {
      const policy = await trust.policies.find(projectId);
      const subject = { repository, digest };
      const cosign = await trust.verifier.judge(policy, 'cosign', subject);
      if (cosign.trusted) return undefined;
      const notation = await trust.verifier.judge(policy, 'notation', subject);
      return notation.trusted ? undefined : `it is not trusted: ${cosign.reason}; ${notation.reason}`;
    },
  };
}

async function scanHoldReason(
  { registrations, reports }: Scanning,
  subject: { readonly artifactId: number; readonly projectId: number },
  below: string,
): Promise<string | undefined> {
  const registration = await registrations.ofProject(subject.projectId);
  if (registration === undefined) return 'no scanner is registered';
  const [report] = await reports.list([subject.artifactId], registration.id, 'vulnerability');
  if (report === undefined) return 'it has not been scanned';
  if (report.status !== 'Success') return `its scan is ${report.status}`;
  const limit = severityRank(severityOfWord(below) ?? 'Critical');
  return severityRank(report.severity) < limit
    ? undefined
    : `its scan found vulnerabilities of severity ${report.severity}`;
}
