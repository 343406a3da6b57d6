/** More alternatives than any policy needs; each is matched by itself, so this bounds the work for one name. */
const MAX_ALTERNATIVES = 1000;

/**
 * Every pattern without braces that `{a,b}` and nested braces in a pattern stand for.
 *
 * Gives `undefined` for unbalanced braces, and for more alternatives than a policy may have.
 */
export function expandAlternatives(pattern: string): readonly string[] | undefined {
  const reader = { pattern, at: 0 };
  const expanded = readSequence(reader, 0);
  return reader.at === pattern.length ? expanded : undefined;
}

interface Reader {
  readonly pattern: string;
  at: number;
}

function readSequence(reader: Reader, depth: number): readonly string[] | undefined {
  let expanded: readonly string[] = [''];
  while (reader.at < reader.pattern.length) {
    const character = reader.pattern.charAt(reader.at);
    if (depth > 0 && (character === ',' || character === '}')) break;
    const parts = character === '{' ? readBraces(reader, depth + 1) : [readVerbatim(reader)];
    if (parts === undefined || expanded.length * parts.length > MAX_ALTERNATIVES) return undefined;
    expanded = expanded.flatMap((head) => parts.map((tail) => head + tail));
  }
  return expanded;
}

function readBraces(reader: Reader, depth: number): readonly string[] | undefined {
  const alternatives: string[] = [];
  do {
    reader.at += 1;
    const option = readSequence(reader, depth);
    if (option === undefined || alternatives.length + option.length > MAX_ALTERNATIVES) return undefined;
    alternatives.push(...option);
  } while (reader.pattern.charAt(reader.at) === ',');
  if (reader.pattern.charAt(reader.at) !== '}') return undefined;
  reader.at += 1;
  return alternatives;
}

/** A run of characters that braces have nothing to do with: an escaped one, a class, or plain text. */
function readVerbatim(reader: Reader): string {
  const text = /^(?:\\.|\[(?:\\.|[^\]\\])*\]|[^{},\\[]+|.)/su.exec(reader.pattern.slice(reader.at))?.[0] ?? '';
  reader.at += text.length;
  return text;
}
