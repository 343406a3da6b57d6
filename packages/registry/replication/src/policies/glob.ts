import { VicError } from '@vic/errors';

const MAX_PATTERN_LENGTH = 1024;
const MAX_ALTERNATIVES = 200;

/**
 * Whether a name matches a pattern as Harbor's filters write them: `?` one character, `*` any within a path
 * component, `**` any, `{a,b}` either. Compiled once per pattern by {@link compileGlob}.
 */
export type Glob = (name: string) => boolean;

/** A matcher of the pattern; the empty pattern matches everything. */
export function compileGlob(pattern: string): Glob {
  if (pattern === '') return () => true;
  if (pattern.length > MAX_PATTERN_LENGTH) throw invalid(pattern, `is longer than ${MAX_PATTERN_LENGTH} characters`);
  const expression = new RegExp(`^(?:${alternatives(pattern).map(toExpression).join('|')})$`, 'u');
  return (name) => expression.test(name);
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

function toExpression(pattern: string): string {
  return pattern.replaceAll(/\*{2,}\/?|\*|\?|[^*?]+/g, (part) => {
    // `a/**/b` matches `a/b`: no component is any number of them.
    if (part.startsWith('**')) return part.endsWith('/') ? '(?:.*/)?' : '.*';
    if (part === '*') return '[^/]*';
    if (part === '?') return '[^/]';
    return part.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
  });
}

function invalid(pattern: string, reason: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'REPLICATION_PATTERN',
    message: `The pattern "${pattern.slice(0, 100)}" ${reason}.`,
  });
}
