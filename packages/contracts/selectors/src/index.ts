export { compileSelector, matchesSelector } from './selector.ts';
export type { NameMatcher } from './selector.ts';
