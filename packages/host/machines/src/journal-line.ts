/** One thing a guest reports. */
export type JournalLine =
  | { readonly kind: 'value'; readonly key: string; readonly value: string }
  | { readonly kind: 'freeze' };

const KEY = /^guestinfo(?:\.[A-Za-z0-9_:/-]{1,128}){1,16}$/;

/** Understands one line of a journal; anything else than what ARCHITECTURE.md allows gives `undefined`. */
export function parseJournalLine(line: string): JournalLine | undefined {
  // Throwing is slow, and a guest may send millions of lines of nothing.
  if (!line.startsWith('{')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if ('rpc' in value) return value.rpc === 'instantclone.freeze' ? { kind: 'freeze' } : undefined;
  if (!('key' in value) || !('value' in value)) return undefined;
  if (typeof value.key !== 'string' || typeof value.value !== 'string' || !KEY.test(value.key)) return undefined;
  // Secrets are given to a guest, never taken from it.
  if (/\.secret[^.]*$/.test(value.key)) return undefined;
  return { kind: 'value', key: value.key, value: value.value };
}
