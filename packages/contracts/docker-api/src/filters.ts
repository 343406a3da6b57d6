import { VicError } from '@vic/errors';

/** How much text a `filters` parameter may be; more is refused before it is parsed. */
const MAX_FILTER_LENGTH = 64 * 1024;

/** The `filters` parameter of a list, parsed and checked against the keys the list knows. */
export class Filters {
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values;
  }

  /** Whether the key was given at all. */
  has(key: string): boolean {
    return this.#values.has(key);
  }

  /** The values of a key; empty when it was not given. */
  get(key: string): readonly string[] {
    return this.#values.get(key) ?? [];
  }

  /** Whether the key is absent or one of its values is `value`. */
  matchesExactly(key: string, value: string): boolean {
    return !this.has(key) || this.get(key).includes(value);
  }

  /** Whether the key is absent or `predicate` accepts one of its values. */
  matchesAny(key: string, predicate: (value: string) => boolean): boolean {
    return !this.has(key) || this.get(key).some(predicate);
  }

  /** Whether every `key` or `key=value` given for `filter` is in `labels`. */
  matchesLabels(filter: string, labels: Readonly<Record<string, string>>): boolean {
    return this.get(filter).every((wanted) => {
      const at = wanted.indexOf('=');
      return at < 0 ? Object.hasOwn(labels, wanted) : labels[wanted.slice(0, at)] === wanted.slice(at + 1);
    });
  }

  /** Whether the key is absent or one of its values is, or as an unanchored regular expression matches, one of `candidates`. */
  matchesPattern(key: string, candidates: readonly string[]): boolean {
    return this.matchesAny(key, (value) =>
      candidates.some((candidate) => candidate === value || matchesSafely(value, candidate)),
    );
  }

  /** The one boolean of a key such as `dangling`; `undefined` when it was not given. */
  boolean(key: string): boolean | undefined {
    if (!this.has(key)) return undefined;
    const values = this.get(key).map((value) => value.toLowerCase());
    if (values.length === 1 && (values[0] === 'true' || values[0] === '1')) return true;
    if (values.length === 1 && (values[0] === 'false' || values[0] === '0')) return false;
    throw invalidFilter(`invalid filter '${key}=[${this.get(key).join(' ')}]'`);
  }
}

/** Parses both forms of a `filters` parameter, `{"k":{"v":true}}` and `{"k":["v"]}`; a key not in `accepted` is refused by name. */
export function parseFilters(text: string | undefined, accepted: readonly string[]): Filters {
  const values = new Map<string, readonly string[]>();
  if (text === undefined || text === '') return new Filters(values);
  for (const [key, given] of Object.entries(parseObject(text))) {
    if (!accepted.includes(key)) throw invalidFilter(`invalid filter '${key}'`);
    values.set(key, valuesOf(given));
  }
  return new Filters(values);
}

function parseObject(text: string): Record<string, unknown> {
  if (text.length > MAX_FILTER_LENGTH) throw invalidFilter('invalid filter: too long');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw invalidFilter('invalid filter');
  }
  if (!isRecord(parsed)) throw invalidFilter('invalid filter');
  return parsed;
}

function valuesOf(given: unknown): string[] {
  if (Array.isArray(given)) {
    if (!given.every((value) => typeof value === 'string')) throw invalidFilter('invalid filter');
    return given;
  }
  if (!isRecord(given)) throw invalidFilter('invalid filter');
  return Object.entries(given)
    .filter(([, wanted]) => wanted === true)
    .map(([value]) => value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Docker's name filters are regular expressions of a client's choosing. Go's engine is linear; ours is not,
 * so only patterns without nested repetition are run as expressions, and others are compared as text.
 */
function matchesSafely(pattern: string, candidate: string): boolean {
  const simple = pattern.length <= 256 && !/[+*}?]\s*\)?\s*[+*{]|\([^)]*[+*{|][^)]*\)\s*[+*{]|\\\d/.test(pattern);
  const quantifiers = pattern.match(/[+*{]/g)?.length ?? 0;
  if (!simple || quantifiers > 3) return candidate.includes(pattern);
  try {
    return new RegExp(pattern).test(candidate);
  } catch {
    return false;
  }
}

function invalidFilter(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'FILTER_INVALID', message });
}
