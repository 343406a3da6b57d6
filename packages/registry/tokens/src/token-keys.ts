import { Mutex } from '@vic/async';
import { VicError } from '@vic/errors';
import { type Database, type Schema, type Selectable, rewriteColumn } from '@vic/sql';
import { type CryptoKey, type JWK, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK } from 'jose';

/** Encrypts what is stored; satisfied by `SecretBox`. */
export interface Sealer {
  seal(text: string, context: string): string;
  open(sealed: string, context: string): string;
}

/** A key that tokens are signed with. */
export interface SigningKey {
  readonly kid: string;
  readonly key: CryptoKey;
}

/** A key that tokens are verified with, as a member of a JWK set (RFC 7517). */
export type PublicKey = Readonly<Record<string, unknown>> & { readonly kid: string };

/** What {@link TokenKeys} is composed of. */
export interface TokenKeysDeps {
  readonly database: Database;
  readonly secrets: Sealer;
  /** The present time; the clock's when absent. */
  readonly now?: () => number;
}

/** The algorithm of all keys. */
export const ALGORITHM = 'ES256';
/** How long another process may go on signing with a key that was retired here. */
const MAX_AGE_MS = 30_000;
/** A retired key still verifies what it signed: as long as the longest token lives. */
const RETIRED_FOR_MS = 31 * 24 * 60 * 60 * 1000;
/** A token with an unknown key makes the keys be read again, but not more often than this. */
const MIN_RELOAD_MS = 1_000;

interface LoadedKeys {
  readonly signing: SigningKey | undefined;
  readonly verifying: ReadonlyMap<string, CryptoKey>;
  readonly loadedAtMs: number;
}

/** The keys that sign access tokens, shared by all processes through the database. */
export class TokenKeys {
  readonly #deps: TokenKeysDeps;
  readonly #now: () => number;
  readonly #mutex = new Mutex();
  #loaded: LoadedKeys | undefined;

  constructor(deps: TokenKeysDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
  }

  /** The key to sign with; made when there is none yet. */
  async signingKey(): Promise<SigningKey> {
    const { signing } = await this.#keys(MAX_AGE_MS);
    if (signing !== undefined) return signing;
    await this.#add('whenMissing');
    const made = (await this.#keys(0)).signing;
    if (made === undefined) throw new Error('A key that was just made is not there');
    return made;
  }

  /** The public key of that id, or `undefined` when no such key signs or signed lately. */
  async verifyingKey(kid: string): Promise<CryptoKey | undefined> {
    const { verifying } = await this.#keys(MAX_AGE_MS);
    return verifying.get(kid) ?? (await this.#keys(MIN_RELOAD_MS)).verifying.get(kid);
  }

  /** The public keys of every token that may still be valid, the newest first. */
  async publicKeys(): Promise<readonly PublicKey[]> {
    const rows = await this.#deps.database.db
      .selectFrom('token_keys')
      .select(['kid', 'algorithm', 'public_key'])
      .where((eb) => eb.or([eb('retired_at_ms', 'is', null), eb('retired_at_ms', '>=', this.#now() - RETIRED_FOR_MS)]))
      .orderBy('id', 'desc')
      .execute();
    return rows.map((row) => ({
      ...(JSON.parse(row.public_key) as JWK),
      kid: row.kid,
      alg: row.algorithm,
      use: 'sig',
    }));
  }

  /** Makes a new key to sign with; tokens signed by earlier ones stay valid until they expire. */
  async rotate(): Promise<string> {
    return this.#add('replacing');
  }

  async #add(mode: 'whenMissing' | 'replacing'): Promise<string> {
    const pair = await generateKeyPair(ALGORITHM, { extractable: true });
    const publicKey = await exportJWK(pair.publicKey);
    const kid = await calculateJwkThumbprint(publicKey);
    const privateKey = JSON.stringify(await exportJWK(pair.privateKey));
    const nowMs = this.#now();
    const added = await this.#deps.database.transaction(async (transaction) => {
      if (mode === 'whenMissing') {
        const existing = await transaction
          .selectFrom('token_keys')
          .select('kid')
          .where('retired_at_ms', 'is', null)
          .executeTakeFirst();
        if (existing !== undefined) return existing.kid;
      }
      await transaction
        .deleteFrom('token_keys')
        .where('retired_at_ms', '<', nowMs - RETIRED_FOR_MS)
        .execute();
      await transaction
        .updateTable('token_keys')
        .set({ retired_at_ms: nowMs })
        .where('retired_at_ms', 'is', null)
        .execute();
      await transaction
        .insertInto('token_keys')
        .values({
          kid,
          algorithm: ALGORITHM,
          private_key: this.#deps.secrets.seal(privateKey, contextOf(kid)),
          public_key: JSON.stringify(publicKey),
          created_at_ms: nowMs,
          retired_at_ms: null,
        })
        .execute();
      return kid;
    });
    // In its turn, after a reading that began before there was the new key.
    await this.#mutex.run(async () => (this.#loaded = undefined));
    return added;
  }

  async #keys(maxAgeMs: number): Promise<LoadedKeys> {
    const fresh = (): LoadedKeys | undefined =>
      this.#loaded !== undefined && this.#now() - this.#loaded.loadedAtMs < maxAgeMs ? this.#loaded : undefined;
    return fresh() ?? this.#mutex.run(async () => fresh() ?? this.#load());
  }

  async #load(): Promise<LoadedKeys> {
    const loadedAtMs = this.#now();
    const rows = await this.#deps.database.db.selectFrom('token_keys').selectAll().orderBy('id', 'desc').execute();
    const verifying = new Map<string, CryptoKey>();
    for (const row of rows) verifying.set(row.kid, await importKey(row.public_key));
    const active = rows.find((row) => row.retired_at_ms === null);
    const signing = active === undefined ? undefined : await this.#open(active);
    this.#loaded = { signing, verifying, loadedAtMs };
    return this.#loaded;
  }

  async #open(row: Selectable<Schema['token_keys']>): Promise<SigningKey> {
    const key = await importKey(this.#deps.secrets.open(row.private_key, contextOf(row.kid)));
    return { kid: row.kid, key };
  }
}

/** Seals the private keys again that `reseal` gives another form for; says how many. */
export async function resealTokenKeys(
  { db }: Pick<Database, 'db'>,
  reseal: (sealed: string, context: string) => string | undefined,
): Promise<number> {
  const keys = { table: 'token_keys', key: 'id', column: 'private_key' } as const;
  return rewriteColumn(db, keys, (sealed, { kid }) => reseal(sealed, contextOf(kid)));
}

function contextOf(kid: string): string {
  return `token key ${kid}`;
}

async function importKey(json: string): Promise<CryptoKey> {
  const key = await importJWK(JSON.parse(json) as JWK, ALGORITHM);
  if (!(key instanceof Uint8Array)) return key;
  throw new VicError({ class: 'DataLoss', code: 'TOKEN_KEY_UNREADABLE', message: 'A stored token key is not a key.' });
}
