import { VicError } from '@vic/errors';
import { type ComponentPattern, matchesComponent, parseComponent } from './component-pattern.ts';
import { expandAlternatives } from './expand-alternatives.ts';

/** Says whether a name is one that a pattern describes. */
export type NameMatcher = (name: string) => boolean;

/** As long as any list of names in a policy; longer patterns are refused. */
const MAX_PATTERN_LENGTH = 4096;

/** `undefined` stands for any number of components. */
type PathPattern = readonly (ComponentPattern | undefined)[];

/**
 * Whether `name` is one that `pattern` describes; throws `SELECTOR_INVALID` for a malformed pattern.
 *
 * `*` and `?` stay within one path component, `**` as a component of its own spans any number of them,
 * `[a-z]` and `[^a-z]` are classes, `{a,b}` alternatives, `\` takes the next character as it is. An empty
 * pattern describes every name.
 */
export function matchesSelector(pattern: string, name: string): boolean {
  return compileSelector(pattern)(name);
}

/** The matcher of a pattern, for use on many names; see {@link matchesSelector}. */
export function compileSelector(pattern: string): NameMatcher {
  if (pattern === '' || pattern === '**') return () => true;
  if (pattern.length > MAX_PATTERN_LENGTH) throw malformed(`it has more than ${MAX_PATTERN_LENGTH} characters`);
  const alternatives = expandAlternatives(pattern);
  if (alternatives === undefined) throw malformed(`"${pattern}" has unbalanced braces, or too many alternatives`);
  const paths = alternatives.map((alternative) => parsePath(alternative, pattern));
  return (name) => {
    const components = name.split('/').map((component) => Array.from(component));
    return paths.some((path) => matchesPath(path, components));
  };
}

function parsePath(alternative: string, pattern: string): PathPattern {
  const components = alternative.match(/(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/])+|(?<=\/|^)(?=\/|$)/gsu) ?? [''];
  const path: (ComponentPattern | undefined)[] = components.map((text) => {
    if (text === '**') return undefined;
    const parsed = parseComponent(text);
    if (parsed === undefined) throw malformed(`"${pattern}" has a class or an escape without its end`);
    return parsed;
  });
  // `team/**` is what lies below `team`, not `team` itself.
  if (path.at(-1) === undefined) path.push([{ kind: 'star' }]);
  return path;
}

function matchesPath(path: PathPattern, name: readonly (readonly string[])[]): boolean {
  let [step, at, spanStep, spanAt] = [0, 0, -1, 0];
  while (at < name.length) {
    const component = path[step];
    if (step < path.length && component === undefined) {
      [spanStep, spanAt] = [step, at];
      step += 1;
    } else if (component !== undefined && matchesComponent(component, name[at] ?? [])) {
      step += 1;
      at += 1;
    } else if (spanStep >= 0) {
      spanAt += 1;
      [step, at] = [spanStep + 1, spanAt];
    } else {
      return false;
    }
  }
  return step === path.length;
}

function malformed(reason: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'SELECTOR_INVALID',
    message: `The pattern cannot be used: ${reason}.`,
    remedy: 'Write names with *, **, ?, [a-z] and {one,other}; put a backslash before any of these to mean itself.',
  });
}
