import { VicError } from '@vic/errors';
import { type Database, type Executor, type Updateable, type Schema, isUniqueViolation } from '@vic/sql';
import { type SourceUser, type User, type UserProfile, nameKey, userOfRow } from './user.ts';

/** A row to be made: everything but what the database and the clock give. */
export interface UserRow extends UserProfile {
  readonly name: string;
  readonly source: User['source'];
  readonly subject: string | null;
  readonly passwordHash: string | null;
  readonly systemAdministrator: boolean;
  readonly administratorBySource: boolean;
}

/** What verifies a user who signs in with a name. */
export interface UserSecrets {
  readonly user: User;
  readonly passwordHash: string | undefined;
  readonly cliSecretHash: string | undefined;
}

/** The table of users. */
export class UserStore {
  readonly #database: Database;
  readonly #clock: () => number;

  constructor(database: Database, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
  }

  /** The user with that id. */
  async find(id: number): Promise<User | undefined> {
    const row = await this.#database.db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? undefined : userOfRow(row);
  }

  /** The user with that id, or `NotFound`. */
  async get(id: number): Promise<User> {
    const user = await this.find(id);
    if (user === undefined) throw noSuchUser(String(id));
    return user;
  }

  /** The user with that name, in whatever case. */
  async findByName(name: string): Promise<User | undefined> {
    return (await this.secretsByName(name))?.user;
  }

  /** The user with that key at an outside source. */
  async findBySubject(source: User['source'], subject: string): Promise<User | undefined> {
    const row = await this.#database.db
      .selectFrom('users')
      .selectAll()
      .where('source', '=', source)
      .where('subject', '=', subject)
      .executeTakeFirst();
    return row === undefined ? undefined : userOfRow(row);
  }

  /** The user with that name, and what verifies the user. */
  async secretsByName(name: string): Promise<UserSecrets | undefined> {
    const row = await this.#database.db
      .selectFrom('users')
      .selectAll()
      .where('name_key', '=', nameKey(name))
      .executeTakeFirst();
    if (row === undefined) return undefined;
    return {
      user: userOfRow(row),
      passwordHash: row.password_hash ?? undefined,
      cliSecretHash: row.cli_secret_hash ?? undefined,
    };
  }

  /** Names by id; those that are gone are left out. */
  async names(ids: readonly number[]): Promise<ReadonlyMap<number, string>> {
    if (ids.length === 0) return new Map();
    const rows = await this.#database.db.selectFrom('users').select(['id', 'name']).where('id', 'in', ids).execute();
    return new Map(rows.map((row) => [row.id, row.name]));
  }

  /** The system administrator with the lowest id. */
  async firstAdministrator(): Promise<User | undefined> {
    const row = await this.#database.db
      .selectFrom('users')
      .selectAll()
      .where('system_administrator', '=', 1)
      .orderBy('id')
      .executeTakeFirst();
    return row === undefined ? undefined : userOfRow(row);
  }

  /** Whether there is no user at all yet. */
  async isEmpty(): Promise<boolean> {
    return (await this.#database.db.selectFrom('users').select('id').limit(1).executeTakeFirst()) === undefined;
  }

  /** Makes a user; a name that is taken is refused in Harbor's words. */
  async insert(user: UserRow): Promise<User> {
    const now = this.#clock();
    try {
      const row = await this.#database.db
        .insertInto('users')
        .values({
          name: user.name,
          name_key: nameKey(user.name),
          source: user.source,
          subject: user.subject,
          email: user.email,
          real_name: user.realName,
          comment: user.comment,
          system_administrator: user.systemAdministrator ? 1 : 0,
          administrator_by_source: user.administratorBySource ? 1 : 0,
          password_hash: user.passwordHash,
          created_at_ms: now,
          updated_at_ms: now,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      return userOfRow(row);
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new VicError({
        class: 'AlreadyExists',
        code: 'USER_EXISTS',
        message: `user ${user.name} already exists`,
        cause: error,
      });
    }
  }

  /** Replaces what others see of the user. */
  async updateProfile(id: number, profile: UserProfile): Promise<void> {
    await this.#update(id, { email: profile.email, real_name: profile.realName, comment: profile.comment });
  }

  /** Takes over what an outside source says of the user at a sign-in. */
  async updateFromSource(id: number, user: SourceUser): Promise<void> {
    await this.#update(id, {
      subject: user.subject,
      administrator_by_source: user.administrator ? 1 : 0,
      ...(user.email === '' ? {} : { email: user.email }),
      ...(user.realName === '' ? {} : { real_name: user.realName }),
    });
  }

  /** Replaces the password. */
  async setPasswordHash(id: number, hash: string): Promise<void> {
    await this.#update(id, { password_hash: hash });
  }

  /** Replaces the hash of an unchanged password, unless the password was changed meanwhile. */
  async rehash(id: number, from: string, to: string): Promise<void> {
    await this.#database.db
      .updateTable('users')
      .set({ password_hash: to })
      .where('id', '=', id)
      .where('password_hash', '=', from)
      .execute();
  }

  /** Replaces the secret for command-line clients. */
  async setCliSecretHash(id: number, hash: string): Promise<void> {
    await this.#update(id, { cli_secret_hash: hash, cli_secret_updated_at_ms: this.#clock() });
  }

  /** Notes that the user has signed in. */
  async touch(id: number): Promise<void> {
    await this.#database.db
      .updateTable('users')
      .set({ last_sign_in_at_ms: this.#clock() })
      .where('id', '=', id)
      .execute();
  }

  /** Makes the user a system administrator or ends it; the last one stays one. */
  async setAdministrator(id: number, administrator: boolean): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      if (!administrator) await requireAnotherAdministrator(transaction, id);
      const { numUpdatedRows } = await transaction
        .updateTable('users')
        .set({ system_administrator: administrator ? 1 : 0, updated_at_ms: this.#clock() })
        .where('id', '=', id)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) throw noSuchUser(String(id));
    });
  }

  /** Removes the user with everything that is the user's; the last system administrator stays. */
  async remove(id: number): Promise<void> {
    await this.#database.transaction(async (transaction) => {
      await requireAnotherAdministrator(transaction, id);
      const { numDeletedRows } = await transaction.deleteFrom('users').where('id', '=', id).executeTakeFirst();
      if (numDeletedRows === 0n) throw noSuchUser(String(id));
    });
  }

  async #update(id: number, values: Updateable<Schema['users']>): Promise<void> {
    const { numUpdatedRows } = await this.#database.db
      .updateTable('users')
      .set({ ...values, updated_at_ms: this.#clock() })
      .where('id', '=', id)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw noSuchUser(String(id));
  }
}

/** There is no such user. */
export function noSuchUser(name: string): VicError {
  return new VicError({ class: 'NotFound', code: 'USER_NOT_FOUND', message: `user ${name.slice(0, 255)} not found` });
}

async function requireAnotherAdministrator(transaction: Executor, id: number): Promise<void> {
  const administrators = await transaction
    .selectFrom('users')
    .select('id')
    .where('system_administrator', '=', 1)
    .where('source', '=', 'local')
    .limit(2)
    .execute();
  if (administrators.length > 1 || administrators[0]?.id !== id) return;
  throw new VicError({
    class: 'PermissionDenied',
    code: 'USER_LAST_ADMINISTRATOR',
    message: `User with ID ${id} is the last local system administrator and must remain one.`,
    remedy: 'Make another local user system administrator first.',
  });
}
