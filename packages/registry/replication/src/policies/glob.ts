import { VicError } from '@vic/errors';

const MAX_PATTERN_LENGTH = 1024;
const MAX_ALTERNATIVES = 200;

/**
 * Whether a name matches a pattern as Harbor's filters write them: `?` one character, `*` any within a path
 * component, `**` any, `{a,b}` either. Compiled once per pattern by {@link compileGlob}.
 */
export type Glob = (name: string) => boolean;

// The last kind, two asterisks and a slash, stands for any number of whole components, none included.
type Token = { readonly kind: 'character'; readonly character: string } | { readonly kind: '?' | '*' | '**' | '**/' };

/**
 * A matcher of the pattern; the empty pattern matches everything.
 *
 * It takes time in proportion to the lengths of pattern and name: project administrators write patterns, and no
 * pattern of theirs may stop the program as a regular expression could.
 */
export function compileGlob(pattern: string): Glob {
  if (pattern === '') return () => true;
  if (pattern.length > MAX_PATTERN_LENGTH) throw invalid(pattern, `is longer than ${MAX_PATTERN_LENGTH} characters`);
  const choices = alternatives(pattern).map(tokensOf);
  return (name) => choices.some((tokens) => matches(tokens, name));
}

/** One pattern for each combination of the choices in braces. */
function alternatives(pattern: string): readonly string[] {
  let results = [''];
  for (const [whole, choices] of pattern.matchAll(/\{([^{}]*)\}|[^{}]+|[{}]/g)) {
    if (whole === '{' || whole === '}') throw invalid(pattern, 'has braces that do not match');
    const parts = choices === undefined ? [whole] : choices.split(',').map((choice) => choice.trim());
    results = results.flatMap((result) => parts.map((part) => result + part));
    if (results.length > MAX_ALTERNATIVES) throw invalid(pattern, 'has too many choices');
  }
  return results;
}

function tokensOf(pattern: string): readonly Token[] {
  const parts = pattern.match(/\*{2,}\/?|[^]/gu) ?? [];
  return parts.map((part): Token => {
    if (part.startsWith('**')) return { kind: part.endsWith('/') ? '**/' : '**' };
    return part === '*' || part === '?' ? { kind: part } : { kind: 'character', character: part };
  });
}

/** Follows every way to match at the same time: `reached[i]` tells whether the tokens so far can match `name[0..i)`. */
function matches(tokens: readonly Token[], name: string): boolean {
  const characters = Array.from(name);
  let reached = [true, ...characters.map(() => false)];
  for (const token of tokens) {
    const next = characters.map(() => false);
    next.push(false);
    let any = false;
    for (const [index, isReached] of reached.entries()) {
      any ||= isReached;
      const before = characters[index - 1];
      const wasReached = reached[index - 1] === true;
      if (token.kind === 'character') next[index] = wasReached && before === token.character;
      else if (token.kind === '?') next[index] = wasReached && before !== '/';
      else if (token.kind === '*') next[index] = isReached || (next[index - 1] === true && before !== '/');
      else if (token.kind === '**') next[index] = any;
      else next[index] = isReached || (any && before === '/');
    }
    reached = next;
  }
  return reached.at(-1) === true;
}

function invalid(pattern: string, reason: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'REPLICATION_PATTERN',
    message: `The pattern "${pattern.slice(0, 100)}" ${reason}.`,
  });
}
