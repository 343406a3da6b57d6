import { createHash } from 'node:crypto';
import { canonicalize } from '@tufjs/canonical-json';
import { Value } from 'typebox/value';
import { type Static, type TSchema, Type } from 'typebox';
import { invalidUpdate } from './notary-error.ts';
import { type TufKey, type TufSignature, keyIdOf, verifySignature } from './tuf-key.ts';

const signatures = Type.Array(Type.Object({ keyid: Type.String(), method: Type.String(), sig: Type.String() }), {
  maxItems: 100,
});
const key = Type.Object({
  keytype: Type.String(),
  keyval: Type.Object({ public: Type.String({ maxLength: 16_384 }), private: Type.Null() }),
});
const keys = Type.Record(Type.String(), key);
const version = Type.Integer({ minimum: 1 });
const expires = Type.String({ maxLength: 64 });
const roleKeys = Type.Object({
  keyids: Type.Array(Type.String(), { maxItems: 100 }),
  threshold: Type.Integer({ minimum: 1 }),
});
const fileMeta = Type.Object({
  length: Type.Integer({ minimum: 0 }),
  hashes: Type.Record(Type.String(), Type.String()),
});

const schemas = {
  Root: Type.Object({
    _type: Type.Literal('Root'),
    version,
    expires,
    consistent_snapshot: Type.Boolean(),
    keys,
    roles: Type.Object({ root: roleKeys, targets: roleKeys, snapshot: roleKeys, timestamp: roleKeys }),
  }),
  Targets: Type.Object({
    _type: Type.Literal('Targets'),
    version,
    expires,
    targets: Type.Record(Type.String(), fileMeta),
    delegations: Type.Object({
      keys,
      roles: Type.Array(
        Type.Object({
          name: Type.String(),
          keyids: Type.Array(Type.String(), { maxItems: 100 }),
          threshold: Type.Integer({ minimum: 1 }),
          paths: Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()])),
        }),
        { maxItems: 1000 },
      ),
    }),
  }),
  Snapshot: Type.Object({
    _type: Type.Literal('Snapshot'),
    version,
    expires,
    meta: Type.Record(Type.String(), fileMeta),
  }),
  Timestamp: Type.Object({
    _type: Type.Literal('Timestamp'),
    version,
    expires,
    meta: Type.Record(Type.String(), fileMeta),
  }),
} as const;

/** The four kinds of TUF metadata, as Notary writes them in `_type`. */
export type TufType = keyof typeof schemas;
/** The signed part of a root, targets, snapshot or timestamp file. */
export type TufSigned<T extends TufType> = Static<(typeof schemas)[T]>;
/** Keys of a role, and how many of them have to sign. */
export type RoleKeys = Static<typeof roleKeys>;
/** Length and hashes of another metadata file. */
export type FileMeta = Static<typeof fileMeta>;

/** A metadata file, parsed; `bytes` are those that hashes are of. */
export interface TufFile<T extends TufType> {
  readonly bytes: Buffer;
  readonly signed: TufSigned<T>;
  readonly signatures: readonly TufSignature[];
  /** The canonical bytes that signatures are over. */
  readonly toVerify: Buffer;
}

/** Parses metadata of a type; throws `InvalidArgument` (`NOTARY_INVALID_UPDATE`) when it is not. */
export function parseTuf<T extends TufType>(type: T, bytes: Buffer, role: string): TufFile<T> {
  let document: unknown;
  try {
    document = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw invalidUpdate(role, 'is not JSON');
  }
  const schema: TSchema = Type.Object({ signed: schemas[type], signatures });
  const [problem] = Value.Errors(schema, document);
  if (problem !== undefined)
    throw invalidUpdate(role, `is malformed at ${problem.instancePath || '/'}: ${problem.message}`);
  const file = document as { signed: TufSigned<T>; signatures: TufSignature[] };
  return { bytes, signed: file.signed, signatures: file.signatures, toVerify: Buffer.from(canonicalize(file.signed)) };
}

/** Whether at least `threshold` different keys of the role signed the file. */
export function isSignedBy(
  file: TufFile<TufType>,
  role: { readonly keyids: readonly string[]; readonly threshold: number },
  known: Readonly<Record<string, TufKey>>,
): boolean {
  const valid = new Set<string>();
  for (const signature of file.signatures) {
    const candidate = known[signature.keyid];
    if (candidate === undefined || !role.keyids.includes(signature.keyid)) continue;
    // The table's names are claims: what a key is called is computed.
    if (keyIdOf(candidate) === signature.keyid && verifySignature(candidate, signature, file.toVerify)) {
      valid.add(signature.keyid);
    }
  }
  return valid.size >= role.threshold;
}

/** Whether the file's time is over at that moment. */
export function isExpired(file: TufFile<TufType>, nowMs: number): boolean {
  const expiresMs = Date.parse(file.signed.expires);
  return !(expiresMs > nowMs);
}

/** Length and hashes of a file, as snapshots and timestamps list it. */
export function metaOf(bytes: Uint8Array): FileMeta {
  const hash = (algorithm: string): string => createHash(algorithm).update(bytes).digest('base64');
  return { length: bytes.length, hashes: { sha256: hash('sha256'), sha512: hash('sha512') } };
}

/** Whether the bytes are those a snapshot or timestamp lists. */
export function matchesMeta(bytes: Uint8Array, meta: FileMeta | undefined): boolean {
  if (meta === undefined || meta.length !== bytes.length) return false;
  const known = Object.entries(meta.hashes).filter(([name]) => name === 'sha256' || name === 'sha512');
  return (
    known.length > 0 &&
    known.every(([algorithm, hash]) => createHash(algorithm).update(bytes).digest('base64') === hash)
  );
}
