const FALSE_WORDS = new Set(['', '0', 'no', 'false', 'none']);

/** A boolean of a query string as Docker reads it: everything is true but the empty string, `0`, `no`, `false` and `none`. */
export function dockerBool(value: string | undefined): boolean {
  return value !== undefined && !FALSE_WORDS.has(value.trim().toLowerCase());
}
