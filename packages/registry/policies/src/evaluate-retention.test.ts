import { describe, expect, it } from 'vitest';
import { evaluateRetention, rulesFor } from './evaluate-retention.ts';
import type { RetentionRule } from './retention-policy.ts';

const DAY_MS = 86_400_000;
const NOW_MS = 1000 * DAY_MS;

function rule(
  template: string,
  options: Partial<RetentionRule> & { readonly pattern?: string; readonly number?: number } = {},
): RetentionRule {
  const { pattern = '**', number, ...rest } = options;
  return {
    action: 'retain',
    template,
    params: number === undefined ? {} : { [template]: number },
    tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern }],
    scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
    ...rest,
  };
}

/** Pushed and pulled that many days ago. */
function candidate(digest: string, tags: readonly string[], pushedDaysAgo: number, pulledDaysAgo?: number) {
  return {
    digest,
    tags,
    pushedAtMs: NOW_MS - pushedDaysAgo * DAY_MS,
    pulledAtMs: pulledDaysAgo === undefined ? 0 : NOW_MS - pulledDaysAgo * DAY_MS,
  };
}

const ARTIFACTS = [
  candidate('a', ['v1', 'stable'], 30, 1),
  candidate('b', ['v2'], 20),
  candidate('c', ['dev-1'], 10, 40),
  candidate('d', [], 5),
];

function retained(...rules: readonly RetentionRule[]): string {
  return [...evaluateRetention(rules, ARTIFACTS, NOW_MS)]
    .map(({ digest }) => digest)
    .toSorted()
    .join('');
}

describe('evaluateRetention()', () => {
  it.each([
    ['latestPushedK', 2, 'cd'],
    ['latestPushedK', 0, ''],
    ['latestPulledN', 2, 'ac'],
    ['nDaysSinceLastPush', 20, 'bcd'],
    ['nDaysSinceLastPull', 7, 'a'],
    ['nDaysSinceLastPull', 20_190_904, 'ac'],
  ])('%s of %i keeps %s', (template, number, expected) => {
    expect(retained(rule(template, { number }))).toBe(expected);
  });

  it('always keeps whatever its selectors select', () => {
    expect(retained(rule('always'))).toBe('abcd');
    expect(retained(rule('always', { pattern: 'v*' }))).toBe('abd');
  });

  it('keeps an artifact with all its tags when one of them is selected', () => {
    const selectors = [
      { kind: 'doublestar' as const, decoration: 'matches', pattern: 'stable', extras: '{"untagged":false}' },
    ];
    expect(retained(rule('always', { tag_selectors: selectors }))).toBe('a');
  });

  it('treats artifacts without tags as the extras say', () => {
    const selector = (decoration: string, extras?: string): RetentionRule['tag_selectors'] => [
      { kind: 'doublestar', decoration, pattern: 'v*', ...(extras === undefined ? {} : { extras }) },
    ];
    expect(retained(rule('always', { tag_selectors: selector('matches', '{"untagged":false}') }))).toBe('ab');
    expect(retained(rule('always', { tag_selectors: selector('excludes') }))).toBe('acd');
    expect(retained(rule('always', { tag_selectors: selector('excludes', '{"untagged":true}') }))).toBe('ac');
  });

  it('keeps what any rule keeps', () => {
    expect(retained(rule('latestPushedK', { number: 1 }), rule('nDaysSinceLastPull', { number: 7 }))).toBe('ad');
  });

  it('rulesFor() leaves out rules that are off, and those about other repositories', () => {
    const scope = { repository: [{ kind: 'doublestar' as const, decoration: 'repoExcludes', pattern: 'team/**' }] };
    const rules = [
      rule('always', { disabled: true }),
      rule('always', { scope_selectors: scope }),
      rule('latestPushedK'),
    ];
    expect(rulesFor(rules, 'team/app')).toEqual([rules[2]]);
    expect(rulesFor(rules, 'app')).toEqual([rules[1], rules[2]]);
  });
});
