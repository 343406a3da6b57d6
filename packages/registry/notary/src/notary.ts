import type { SecretBox } from '@vic/secrets';
import type { Database, Executor } from '@vic/sql';
import {
  type MetadataChoice,
  type StoredMetadata,
  readCollection,
  readMetadata,
  readServerKeys,
  removeCollection,
  writeMetadata,
  writeServerKey,
} from './metadata-store.ts';
import { invalidUpdate, metadataNotFound } from './notary-error.ts';
import { type ServerKey, type ServerRole, generateServerKey, signTuf } from './server-key.ts';
import type { TufKey } from './tuf-key.ts';
import { type TufFile, type TufSigned, isExpired, matchesMeta, metaOf, parseTuf } from './tuf-metadata.ts';
import { type CheckedUpdate, type RoleFiles, isTargetsRole, validateUpdate } from './validate-update.ts';

/** What {@link Notary} needs. */
export interface NotaryDeps {
  readonly database: Database;
  readonly secrets: SecretBox;
  readonly now: () => number;
}

const DAY_MS = 86_400_000;
/** As Notary's own server: clients that see no new timestamp for two weeks stop trusting. */
const TIMESTAMP_LIFE_MS = 14 * DAY_MS;
const SNAPSHOT_LIFE_MS = 3 * 365 * DAY_MS;

/**
 * Trusted collections: stores TUF metadata that clients publish, signs timestamps always and snapshots when a
 * collection lets it.
 *
 * An update is checked as a whole and stored as a whole; of two at once, one is told that it is not the newest.
 */
export class Notary {
  readonly #deps: NotaryDeps;

  constructor(deps: NotaryDeps) {
    this.#deps = deps;
  }

  /** Publishes files of a collection, keyed by role. */
  async update(gun: string, update: RoleFiles): Promise<void> {
    await this.#deps.database.transaction(async (transaction) => {
      const nowMs = this.#deps.now();
      const stored = await readCollection(transaction, gun);
      const current = new Map([...stored].map(([role, { bytes }]) => [role, bytes]));
      const checked = validateUpdate({ current, update, nowMs });
      await this.#requireServerKey(transaction, gun, 'timestamp', checked.root);
      for (const [role, bytes] of update) {
        if (role === 'snapshot' || current.get(role)?.equals(bytes) === true) continue;
        const { version } = parseTuf(role === 'root' ? 'Root' : 'Targets', bytes, role).signed;
        await writeMetadata(transaction, gun, { role, version, bytes, createdAtMs: nowMs });
      }
      const snapshot = await this.#putSnapshot(transaction, gun, checked, stored.get('snapshot'));
      await this.#putTimestamp(transaction, gun, { root: checked.root, snapshot, before: stored.get('timestamp') });
    });
  }

  /** A metadata file; the timestamp is signed anew when it is no longer current. */
  async metadata(gun: string, role: string, choice: MetadataChoice): Promise<StoredMetadata> {
    if (choice === undefined && (role === 'timestamp' || role === 'snapshot')) await this.#refresh(gun);
    const found = await readMetadata(this.#deps.database.db, gun, role, choice);
    if (found === undefined) throw metadataNotFound(`${role} of ${gun}`);
    return found;
  }

  /** The public key the server signs a role of the collection with; made when there is none. */
  async publicKey(gun: string, role: ServerRole): Promise<TufKey> {
    return this.#deps.database.transaction(async (transaction) => {
      const [newest] = await readServerKeys(transaction, this.#deps.secrets, gun, role);
      return newest?.key ?? (await this.#addKey(transaction, gun, role)).key;
    });
  }

  /** A new key for a role; it signs once the client has published a root that names it. */
  async rotateKey(gun: string, role: ServerRole): Promise<TufKey> {
    return this.#deps.database.transaction(async (transaction) => (await this.#addKey(transaction, gun, role)).key);
  }

  /** Whether a target of the collection, its delegations included, has that SHA-256 (hexadecimal). */
  async isTarget(gun: string, sha256: string): Promise<boolean> {
    const stored = await readCollection(this.#deps.database.db, gun);
    const wanted = Buffer.from(sha256, 'hex').toString('base64');
    return [...stored].some(
      ([role, { bytes }]) =>
        isTargetsRole(role) &&
        Object.values(parseTuf('Targets', bytes, role).signed.targets).some(
          ({ hashes }) => hashes['sha256'] === wanted,
        ),
    );
  }

  /** Forgets the collection. */
  async remove(gun: string): Promise<void> {
    await this.#deps.database.transaction(async (transaction) => removeCollection(transaction, gun));
  }

  async #refresh(gun: string): Promise<void> {
    const current = await readCollection(this.#deps.database.db, gun);
    if (current.size === 0 || this.#isFresh(current)) return;
    await this.#deps.database.transaction(async (transaction) => {
      const stored = await readCollection(transaction, gun);
      const [root, snapshot] = [stored.get('root'), stored.get('snapshot')];
      if (root === undefined || snapshot === undefined || this.#isFresh(stored)) return;
      const rootFile = parseTuf('Root', root.bytes, 'root');
      const files = new Map([...stored].map(([role, { bytes }]) => [role, bytes]));
      files.delete('snapshot');
      files.delete('timestamp');
      const expired = isExpired(parseTuf('Snapshot', snapshot.bytes, 'snapshot'), this.#deps.now());
      const bytes = expired
        ? await this.#signSnapshot(transaction, gun, { root: rootFile, snapshot: undefined, files }, snapshot)
        : snapshot.bytes;
      await this.#putTimestamp(transaction, gun, {
        root: rootFile,
        snapshot: bytes,
        before: stored.get('timestamp'),
      });
    });
  }

  #isFresh(files: ReadonlyMap<string, StoredMetadata>): boolean {
    const [timestamp, snapshot] = [files.get('timestamp'), files.get('snapshot')];
    if (timestamp === undefined || snapshot === undefined) return false;
    const file = parseTuf('Timestamp', timestamp.bytes, 'timestamp');
    // Renewed at half of its life, so that a client's clock or a cache between does not matter.
    return (
      !isExpired(file, this.#deps.now() + TIMESTAMP_LIFE_MS / 2) &&
      !isExpired(parseTuf('Snapshot', snapshot.bytes, 'snapshot'), this.#deps.now()) &&
      matchesMeta(snapshot.bytes, file.signed.meta['snapshot'])
    );
  }

  async #putSnapshot(
    transaction: Executor,
    gun: string,
    checked: CheckedUpdate,
    before: StoredMetadata | undefined,
  ): Promise<Buffer> {
    const { snapshot } = checked;
    if (snapshot === undefined) return this.#signSnapshot(transaction, gun, checked, before);
    if (before?.bytes.equals(snapshot.bytes) !== true) {
      await writeMetadata(transaction, gun, {
        role: 'snapshot',
        version: snapshot.signed.version,
        bytes: snapshot.bytes,
        createdAtMs: this.#deps.now(),
      });
    }
    return snapshot.bytes;
  }

  async #signSnapshot(
    transaction: Executor,
    gun: string,
    checked: CheckedUpdate,
    before: StoredMetadata | undefined,
  ): Promise<Buffer> {
    const key = await this.#requireServerKey(transaction, gun, 'snapshot', checked.root);
    const nowMs = this.#deps.now();
    const signed: TufSigned<'Snapshot'> = {
      _type: 'Snapshot',
      version: (before?.version ?? 0) + 1,
      expires: new Date(nowMs + SNAPSHOT_LIFE_MS).toISOString(),
      meta: Object.fromEntries([...checked.files].map(([role, bytes]) => [role, metaOf(bytes)])),
    };
    const bytes = signTuf<'Snapshot'>(signed, key);
    await writeMetadata(transaction, gun, { role: 'snapshot', version: signed.version, bytes, createdAtMs: nowMs });
    return bytes;
  }

  async #putTimestamp(
    transaction: Executor,
    gun: string,
    files: { readonly root: TufFile<'Root'>; readonly snapshot: Buffer; readonly before: StoredMetadata | undefined },
  ): Promise<void> {
    const key = await this.#requireServerKey(transaction, gun, 'timestamp', files.root);
    const nowMs = this.#deps.now();
    const signed: TufSigned<'Timestamp'> = {
      _type: 'Timestamp',
      version: (files.before?.version ?? 0) + 1,
      expires: new Date(nowMs + TIMESTAMP_LIFE_MS).toISOString(),
      meta: { snapshot: metaOf(files.snapshot) },
    };
    const bytes = signTuf<'Timestamp'>(signed, key);
    await writeMetadata(transaction, gun, { role: 'timestamp', version: signed.version, bytes, createdAtMs: nowMs });
  }

  /** The server's key among those the root names for the role. */
  async #requireServerKey(db: Executor, gun: string, role: ServerRole, root: TufFile<'Root'>): Promise<ServerKey> {
    const held = await readServerKeys(db, this.#deps.secrets, gun, role);
    const named = held.find(({ keyId }) => root.signed.roles[role].keyids.includes(keyId));
    if (named !== undefined) return named;
    throw invalidUpdate(
      role === 'timestamp' ? 'root' : 'snapshot',
      role === 'timestamp'
        ? 'names a timestamp key that this server does not hold'
        : 'is missing, and this server does not hold the snapshot key of the collection',
    );
  }

  async #addKey(db: Executor, gun: string, role: ServerRole): Promise<ServerKey> {
    const serverKey = generateServerKey();
    await writeServerKey(db, this.#deps.secrets, { gun, role, serverKey, createdAtMs: this.#deps.now() });
    return serverKey;
  }
}
