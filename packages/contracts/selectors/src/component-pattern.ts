/** One step of a component: a literal character, any one, any number of any, or a class. */
type Token =
  | { readonly kind: 'character'; readonly character: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'star' }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [number, number])[] };

/** What lies between two slashes of a pattern, without braces. */
export type ComponentPattern = readonly Token[];

/** Reads a component; `undefined` when it is malformed. */
export function parseComponent(text: string): ComponentPattern | undefined {
  const characters = Array.from(text);
  const tokens: Token[] = [];
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? '';
    if (character === '*') {
      if (tokens.at(-1)?.kind !== 'star') tokens.push({ kind: 'star' });
    } else if (character === '?') {
      tokens.push({ kind: 'any' });
    } else if (character === '[') {
      const parsed = parseClass(characters, at + 1);
      if (parsed === undefined) return undefined;
      tokens.push(parsed.token);
      at = parsed.end;
    } else if (character === '\\') {
      at += 1;
      const escaped = characters[at];
      if (escaped === undefined) return undefined;
      tokens.push({ kind: 'character', character: escaped });
    } else {
      tokens.push({ kind: 'character', character });
    }
  }
  return tokens;
}

/** Whether a component of a name is one the pattern describes; takes time in proportion to both lengths. */
export function matchesComponent(pattern: ComponentPattern, name: readonly string[]): boolean {
  let [token, at, starToken, starAt] = [0, 0, -1, 0];
  while (at < name.length) {
    const current = pattern[token];
    if (current?.kind === 'star') {
      [starToken, starAt] = [token, at];
      token += 1;
    } else if (current !== undefined && matchesCharacter(current, name[at] ?? '')) {
      token += 1;
      at += 1;
    } else if (starToken >= 0) {
      starAt += 1;
      [token, at] = [starToken + 1, starAt];
    } else {
      return false;
    }
  }
  while (pattern[token]?.kind === 'star') token += 1;
  return token === pattern.length;
}

function matchesCharacter(token: Token, character: string): boolean {
  if (token.kind === 'character') return token.character === character;
  if (token.kind !== 'class') return true;
  const code = character.codePointAt(0) ?? 0;
  return token.ranges.some(([low, high]) => low <= code && code <= high) !== token.negated;
}

/** `[abc]`, `[a-z]`, `[^…]`; a backslash takes the next character as it is. */
function parseClass(characters: readonly string[], from: number): { token: Token; end: number } | undefined {
  const negated = characters[from] === '^';
  const ranges: (readonly [number, number])[] = [];
  let at = negated ? from + 1 : from;
  while (at < characters.length && characters[at] !== ']') {
    const low = classCharacter(characters, at);
    if (low === undefined) return undefined;
    at = low.end;
    const high = characters[at] === '-' ? classCharacter(characters, at + 1) : low;
    if (high === undefined) return undefined;
    at = high.end;
    ranges.push([low.code, high.code]);
  }
  if (at >= characters.length || ranges.length === 0) return undefined;
  return { token: { kind: 'class', negated, ranges }, end: at };
}

function classCharacter(characters: readonly string[], at: number): { code: number; end: number } | undefined {
  const escaped = characters[at] === '\\';
  const character = characters[escaped ? at + 1 : at];
  if (character === undefined || (!escaped && (character === '-' || character === ']'))) return undefined;
  return { code: character.codePointAt(0) ?? 0, end: at + (escaped ? 2 : 1) };
}
