import { compileSelectors } from './policy-selector.ts';
import type { RetentionRule } from './retention-policy.ts';
import { retentionParameter } from './retention-templates.ts';

/** An artifact that retention decides about. */
export interface RetentionCandidate {
  readonly digest: string;
  readonly tags: readonly string[];
  /** When it, or the youngest of its tags, was pushed. */
  readonly pushedAtMs: number;
  /** When it, or any of its tags, was last pulled; 0 when never. */
  readonly pulledAtMs: number;
}

const MS_PER_DAY = 86_400_000;

/** The rules that are on and about the repository, given without its project. */
export function rulesFor(rules: readonly RetentionRule[], repository: string): readonly RetentionRule[] {
  return rules.filter((rule) => rule.disabled !== true && compileSelectors(rule).selectsRepository(repository));
}

/**
 * The candidates that any of the rules keeps.
 *
 * An artifact is kept with all its tags when a rule that selects one of them keeps it.
 */
export function evaluateRetention<T extends RetentionCandidate>(
  rules: readonly RetentionRule[],
  candidates: readonly T[],
  nowMs: number,
): ReadonlySet<T> {
  const retained = new Set<T>();
  for (const rule of rules) {
    const selectors = compileSelectors(rule);
    const selected = candidates.filter(({ tags }) => selectors.selectsArtifact(tags));
    for (const candidate of keptBy(rule, selected, nowMs)) retained.add(candidate);
  }
  return retained;
}

function keptBy<T extends RetentionCandidate>(
  rule: RetentionRule,
  selected: readonly T[],
  nowMs: number,
): readonly T[] {
  const parameter = retentionParameter(rule);
  const since = nowMs - parameter * MS_PER_DAY;
  switch (rule.template) {
    case 'latestPushedK':
      return selected.toSorted((a, b) => b.pushedAtMs - a.pushedAtMs).slice(0, parameter);
    case 'latestPulledN':
      return selected.toSorted((a, b) => b.pulledAtMs - a.pulledAtMs).slice(0, parameter);
    case 'nDaysSinceLastPush':
      return selected.filter(({ pushedAtMs }) => pushedAtMs >= since);
    case 'nDaysSinceLastPull':
      return selected.filter(({ pulledAtMs }) => pulledAtMs > 0 && pulledAtMs >= since);
    default:
      return selected;
  }
}
