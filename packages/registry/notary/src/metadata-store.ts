import { createHash } from 'node:crypto';
import type { SecretBox } from '@vic/secrets';
import { type Database, type Executor, rewriteColumn } from '@vic/sql';
import type { ServerKey, ServerRole } from './server-key.ts';
import type { TufKey } from './tuf-key.ts';

/** A stored metadata file. */
export interface StoredMetadata {
  readonly role: string;
  readonly version: number;
  readonly bytes: Buffer;
  readonly createdAtMs: number;
}

/** Which one of a role's files. */
export type MetadataChoice = { readonly sha256: string } | { readonly version: number } | undefined;

/** Clients that fetch by checksum read the timestamp first, so that few older files are ever asked for. */
const KEPT_VERSIONS = 20;

/** The newest file of every role of a collection. */
export async function readCollection(db: Executor, gun: string): Promise<Map<string, StoredMetadata>> {
  const rows = await db
    .selectFrom('tuf_metadata')
    .selectAll()
    .where('gun', '=', gun)
    .orderBy('role')
    .orderBy('version')
    .execute();
  return new Map(rows.map((row) => [row.role, fromRow(row)]));
}

/** The newest file of a role, or the one chosen. */
export async function readMetadata(
  db: Executor,
  gun: string,
  role: string,
  choice: MetadataChoice,
): Promise<StoredMetadata | undefined> {
  let query = db.selectFrom('tuf_metadata').selectAll().where('gun', '=', gun).where('role', '=', role);
  if (choice !== undefined) {
    query =
      'sha256' in choice ? query.where('sha256', '=', choice.sha256) : query.where('version', '=', choice.version);
  }
  const row = await query.orderBy('version', 'desc').limit(1).executeTakeFirst();
  return row === undefined ? undefined : fromRow(row);
}

/** Adds a version of a role's file, and forgets those that are too old; root files are kept for ever. */
export async function writeMetadata(
  db: Executor,
  gun: string,
  file: { readonly role: string; readonly version: number; readonly bytes: Buffer; readonly createdAtMs: number },
): Promise<void> {
  await db
    .insertInto('tuf_metadata')
    .values({
      gun,
      role: file.role,
      version: file.version,
      sha256: createHash('sha256').update(file.bytes).digest('hex'),
      content: file.bytes,
      created_at_ms: file.createdAtMs,
    })
    .execute();
  if (file.role === 'root') return;
  await db
    .deleteFrom('tuf_metadata')
    .where('gun', '=', gun)
    .where('role', '=', file.role)
    .where('version', '<=', file.version - KEPT_VERSIONS)
    .execute();
}

/** Removes everything of a collection, its keys too. */
export async function removeCollection(db: Executor, gun: string): Promise<void> {
  await db.deleteFrom('tuf_metadata').where('gun', '=', gun).execute();
  await db.deleteFrom('tuf_keys').where('gun', '=', gun).execute();
}

/** The server's keys for a role, newest first. */
export async function readServerKeys(
  db: Executor,
  secrets: SecretBox,
  gun: string,
  role: ServerRole,
): Promise<readonly ServerKey[]> {
  const rows = await db
    .selectFrom('tuf_keys')
    .selectAll()
    .where('gun', '=', gun)
    .where('role', '=', role)
    .orderBy('id', 'desc')
    .execute();
  return rows.map((row) => ({
    keyId: row.key_id,
    key: JSON.parse(row.public_key) as TufKey,
    privateKey: secrets.open(row.private_key, sealContext(gun, role)),
  }));
}

/** Keeps a key of the server, its private half sealed. */
export async function writeServerKey(
  db: Executor,
  secrets: SecretBox,
  key: { readonly gun: string; readonly role: ServerRole; readonly serverKey: ServerKey; readonly createdAtMs: number },
): Promise<void> {
  await db
    .insertInto('tuf_keys')
    .values({
      gun: key.gun,
      role: key.role,
      key_id: key.serverKey.keyId,
      public_key: JSON.stringify(key.serverKey.key),
      private_key: secrets.seal(key.serverKey.privateKey, sealContext(key.gun, key.role)),
      created_at_ms: key.createdAtMs,
    })
    .execute();
}

function sealContext(gun: string, role: string): string {
  return `notary ${role} key of ${gun}`;
}

function fromRow(row: {
  readonly role: string;
  readonly version: number;
  readonly content: Uint8Array;
  readonly created_at_ms: number;
}): StoredMetadata {
  return { role: row.role, version: row.version, bytes: Buffer.from(row.content), createdAtMs: row.created_at_ms };
}

/** Seals the private keys again that `reseal` gives another form for; says how many. */
export async function resealNotaryKeys(
  { db }: Pick<Database, 'db'>,
  reseal: (sealed: string, context: string) => string | undefined,
): Promise<number> {
  const keys = { table: 'tuf_keys', key: 'id', column: 'private_key' } as const;
  return rewriteColumn(db, keys, (sealed, { gun, role }) => reseal(sealed, sealContext(gun, role)));
}
