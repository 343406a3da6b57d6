import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseConfiguration } from '@vic/config';
import { VicError } from '@vic/errors';
import { replaceFile } from '@vic/files';
import { type Static, Type } from 'typebox';

const closed = { additionalProperties: false } as const;
/** Below the directory it is restored to; never out of it. */
const path = Type.String({ pattern: '^(?:(?!\\.\\.?/)[^/\\0]+/)*(?!\\.\\.?$)[^/\\0]+$', maxLength: 1024 });
const size = Type.Integer({ minimum: 0 });
const sha256 = Type.String({ pattern: '^sha256:[0-9a-f]{64}$' });
const digest = Type.String({ pattern: '^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$' });

const schema = Type.Object(
  {
    format: Type.Literal(1),
    /** Of the program that made the backup. */
    version: Type.String(),
    createdAt: Type.String(),
    /** What the database was; in the backup it is always SQLite. */
    dialect: Type.Enum(['sqlite', 'postgres']),
    /** The migrations of the database. */
    schema: Type.Array(Type.String()),
    /** Files beside the manifest. */
    files: Type.Array(Type.Object({ path, sizeBytes: size, digest: sha256 }, closed)),
    /** Files of the data directory whose content is with the blobs. */
    shared: Type.Array(Type.Object({ path, digest: sha256 }, closed)),
    blobs: Type.Object({ count: size, sizeBytes: size }, closed),
    /** Blobs that the database names and the registry itself did not have. */
    missing: Type.Array(digest),
    /** Over everything above. */
    digest: sha256,
  },
  closed,
);

/** What a backup holds. */
export type BackupManifest = Readonly<Static<typeof schema>>;

/** The file that makes a directory a backup. */
const MANIFEST_FILE = 'manifest.json';
/** Where the blobs of all backups in a directory are. */
export const CONTENT_DIRECTORY = 'content';
/** The key of the secrets in the database. */
export const KEY_FILE = 'secret.key';
/** The database in a backup. */
export const DATABASE_FILE = 'registry.db';

/** Writes the manifest, durably. */
export async function writeManifest(directory: string, content: Omit<BackupManifest, 'digest'>): Promise<void> {
  const manifest: BackupManifest = { ...content, digest: digestOf(content) };
  const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
  await replaceFile(join(directory, MANIFEST_FILE), text, { mode: 0o600, durable: true });
}

/** A backup and where its parts are. */
export interface FoundBackup {
  /** Of the manifest. */
  readonly directory: string;
  readonly contentDirectory: string;
  readonly manifest: BackupManifest;
}

/** The backup at a path: the latest of a directory of backups, or one of them. */
export async function findBackup(at: string): Promise<FoundBackup> {
  const names = await readdir(at).catch((cause: Error) => {
    throw noBackup(at, cause);
  });
  const directory = names.includes(MANIFEST_FILE) ? at : await latest(at, names);
  const file = join(directory, MANIFEST_FILE);
  const manifest = parseConfiguration(schema, await readFile(file, 'utf8'), file);
  const { digest: expected, ...content } = manifest;
  if (digestOf(content) !== expected) throw backupDamaged(`${file} was changed since it was written`);
  return { directory, contentDirectory: join(dirname(directory), CONTENT_DIRECTORY), manifest };
}

/** The backups in a directory, the oldest first. */
export async function listBackups(directory: string): Promise<readonly string[]> {
  const names = (await readdir(directory)).filter((name) => /^\d{8}T\d{9}Z$/.test(name));
  return names.toSorted();
}

/** Something in a backup is not what was written. */
export function backupDamaged(what: string, cause?: unknown): VicError {
  return new VicError({
    class: 'DataLoss',
    code: 'REGISTRY_BACKUP_DAMAGED',
    message: `The backup is damaged: ${what}.`,
    remedy: 'Restore another backup; the directory that --from names may hold older ones.',
    cause,
  });
}

async function latest(at: string, names: readonly string[]): Promise<string> {
  const [last] = (await listBackups(at)).slice(-1);
  if (last !== undefined) return join(at, last);
  const unfinished = names.some((name) => name.endsWith('.partial'));
  throw noBackup(at, unfinished ? new Error('one was begun there and did not end') : undefined);
}

function digestOf(content: Omit<BackupManifest, 'digest'>): string {
  return `sha256:${createHash('sha256').update(JSON.stringify(content)).digest('hex')}`;
}

function noBackup(at: string, cause: Error | undefined): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'REGISTRY_NO_BACKUP',
    message: `There is no backup in ${at}${cause === undefined ? '' : `: ${cause.message}`}.`,
    remedy: 'Name the directory that "registry backup --to" wrote to, or one backup in it.',
    cause,
  });
}
