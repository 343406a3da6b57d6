import { VicError } from '@vic/errors';
import { type Static, Type } from '@vic/http';
import { type NameMatcher, compileSelector } from '@vic/selectors';

/** The most selectors a rule may have in one place; Harbor's own interface never makes more than one. */
const MAX_SELECTORS = 15;
const MAX_PATTERN_LENGTH = 4096;

/** A selector in the API's form. */
export const PolicySelectorBody = Type.Object({
  kind: Type.Literal('doublestar'),
  decoration: Type.String({ maxLength: 32 }),
  pattern: Type.String({ maxLength: MAX_PATTERN_LENGTH }),
  /** JSON: `{"untagged":true}`. */
  extras: Type.Optional(Type.String({ maxLength: 1024 })),
});

/** The selectors of a rule: of tags, and of repositories in `scope_selectors.repository`. */
export const RuleSelectorsBody = {
  tag_selectors: Type.Array(PolicySelectorBody, { minItems: 1, maxItems: MAX_SELECTORS }),
  scope_selectors: Type.Object({
    repository: Type.Array(PolicySelectorBody, { minItems: 1, maxItems: MAX_SELECTORS }),
  }),
};

/** Says which repositories or tags a rule is about. */
export type PolicySelector = Static<typeof PolicySelectorBody>;

/** What a rule is about. */
export interface RuleSelectors {
  readonly tag_selectors: readonly PolicySelector[];
  readonly scope_selectors: { readonly repository: readonly PolicySelector[] };
}

/** The two questions that a rule's selectors answer. */
export interface CompiledSelectors {
  /** `repository` without its project. */
  selectsRepository(repository: string): boolean;
  /** Whether an artifact with these tags, or without any, is selected. */
  selectsArtifact(tags: readonly string[]): boolean;
}

/** Compiles the selectors of a rule; throws `InvalidArgument` for those that are not ones. */
export function compileSelectors(
  selectors: RuleSelectors,
  untagged: 'by-extras' | 'never' = 'by-extras',
): CompiledSelectors {
  const repositories = selectors.scope_selectors.repository.map((selector) => {
    const excludes = isExclusion(selector, 'repoMatches', 'repoExcludes');
    const matches = compileSelector(selector.pattern);
    return (repository: string) => matches(repository) !== excludes;
  });
  const tags = selectors.tag_selectors.map((selector) => compileTagSelector(selector, untagged));
  return {
    selectsRepository: (repository) => repositories.every((selects) => selects(repository)),
    selectsArtifact: (names) => tags.every((selects) => selects(names)),
  };
}

function compileTagSelector(
  selector: PolicySelector,
  untagged: 'by-extras' | 'never',
): (tags: readonly string[]) => boolean {
  const excludes = isExclusion(selector, 'matches', 'excludes');
  const matches: NameMatcher = compileSelector(selector.pattern);
  const mentioned = untagged === 'by-extras' ? mentionsUntagged(selector, !excludes) : excludes;
  return (tags) => (tags.length === 0 ? mentioned !== excludes : tags.some((tag) => matches(tag) !== excludes));
}

function isExclusion(selector: PolicySelector, matches: string, excludes: string): boolean {
  if (selector.decoration === matches) return false;
  if (selector.decoration === excludes) return true;
  throw invalid(`the decoration "${selector.decoration}" is neither ${matches} nor ${excludes}`);
}

/** By default a selection takes in artifacts without tags, and so does an exclusion of tags. */
function mentionsUntagged({ extras }: PolicySelector, otherwise: boolean): boolean {
  if (extras === undefined || extras === '') return otherwise;
  try {
    const parsed: unknown = JSON.parse(extras);
    if (typeof parsed === 'object' && parsed !== null) {
      const { untagged } = parsed as { readonly untagged?: unknown };
      if (untagged === undefined) return false;
      if (typeof untagged === 'boolean') return untagged;
    }
  } catch (cause) {
    throw invalid('extras is not JSON', cause);
  }
  throw invalid('extras is not an object with a boolean "untagged"');
}

function invalid(reason: string, cause?: unknown): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'SELECTOR_INVALID',
    message: `invalid selector: ${reason}`,
    cause,
  });
}
