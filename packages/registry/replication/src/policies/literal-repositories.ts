const MAX_NAMES = 1000;

/** The repositories a name filter lists without wildcards (`a/b` or `{a/b,c/d}` or `a/{b,c}`), else `undefined`. */
export function literalRepositories(pattern: string): readonly string[] | undefined {
  if (pattern === '' || /[*?[\]\\]/.test(pattern)) return undefined;
  let names = [''];
  for (const [, literal = '', choices] of pattern.matchAll(/([^{}]*)(?:\{([^{}]*)\})?/g)) {
    const endings = choices?.split(',').map((choice) => choice.trim()) ?? [''];
    names = names.flatMap((name) => endings.map((ending) => name + literal + ending));
    if (names.length > MAX_NAMES) return undefined;
  }
  return names;
}
