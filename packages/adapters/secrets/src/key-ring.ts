import { VicError } from '@vic/errors';

/** The keys of an installation: one that seals, and those that only open. */
export interface KeyRing {
  readonly current: Buffer;
  /** Will seal after the next rotation: processes that have it already can open what others seal with it then. */
  readonly next?: Buffer;
  /** Sealed before; needed until everything is sealed again. */
  readonly previous?: Buffer;
}

/** The length of a key. */
export const KEY_BYTES = 32;

const ROLES = ['current', 'next', 'previous'] as const;

/** Reads a key file: the bytes of one key, or JSON while there are more. */
export function parseKeyRing(bytes: Buffer, path: string): KeyRing {
  if (bytes.length === KEY_BYTES) return { current: bytes };
  const keys = new Map<string, Buffer>();
  for (const [role, key] of Object.entries(parseObject(bytes))) {
    const decoded = Buffer.from(typeof key === 'string' ? key : '', 'base64');
    if (ROLES.some((known) => known === role) && decoded.length === KEY_BYTES) keys.set(role, decoded);
  }
  const [current, next, previous] = ROLES.map((role) => keys.get(role));
  if (current === undefined) throw invalid(bytes, path);
  return { current, ...(next === undefined ? {} : { next }), ...(previous === undefined ? {} : { previous }) };
}

/** What {@link parseKeyRing} reads. */
export function formatKeyRing(ring: KeyRing): Buffer {
  if (ring.next === undefined && ring.previous === undefined) return ring.current;
  const keys = ROLES.flatMap((role) => {
    const key = ring[role];
    return key === undefined ? [] : [[role, key.toString('base64')]];
  });
  return Buffer.from(`${JSON.stringify(Object.fromEntries(keys))}\n`);
}

function parseObject(bytes: Buffer): object {
  try {
    const parsed: unknown = JSON.parse(bytes.toString());
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}

function invalid(bytes: Buffer, path: string): VicError {
  return new VicError({
    class: 'FailedPrecondition',
    code: 'SECRET_KEY_INVALID',
    message: `${path} has ${bytes.length} bytes instead of the ${KEY_BYTES} of a key.`,
    remedy: 'Restore the key file that belongs to this database.',
  });
}
