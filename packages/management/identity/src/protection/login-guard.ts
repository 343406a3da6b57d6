import { createHash } from 'node:crypto';
import type { Database } from '@vic/sql';
import { countedAddress } from './client-address.ts';
import { SignInBlockedError } from './sign-in-refused.ts';

/** How failures of one kind of key turn into waiting. */
interface Patience {
  /** The failure from which on there is a wait. */
  readonly from: number;
  /** The longest wait; it doubles from one second. */
  readonly maxWaitMs: number;
}

/** An account from one address: a person mistyping, or a guesser. */
const PAIR: Patience = { from: 5, maxWaitMs: 15 * 60_000 };
/** An account from anywhere: guessers with many addresses. Short, because the owner may be away from home. */
const ACCOUNT: Patience = { from: 20, maxWaitMs: 60_000 };
/** An address with any accounts: spraying. Generous, because offices share one. */
const ADDRESS: Patience = { from: 100, maxWaitMs: 5 * 60_000 };
/** New accounts from an address, where anybody may make one. */
const REGISTRATION: Patience = { from: 10, maxWaitMs: 60 * 60_000 };
/** One stale password in a script counts against its address only so often. */
const PAIR_FAILURES_AGAINST_ADDRESS = 20;
const FORGOTTEN_AFTER_MS = 60 * 60_000;
const KNOWN_ADDRESS_FOR_MS = 90 * 24 * 60 * 60_000;
const KNOWN_ADDRESS_REFRESH_MS = 24 * 60 * 60_000;

/** A sign-in as the guard sees it. */
export interface SignInAttempt {
  /** The name that was given, in the form in which equal names are equal. */
  readonly account: string;
  readonly address: string;
  /** The user with that name, when there is one. */
  readonly userId: number | undefined;
}

interface Keys {
  readonly pair: string;
  readonly account: string;
  readonly address: string;
}

/**
 * Slows down who guesses passwords, in the database, so that all processes agree.
 *
 * Three counters grow apart: account from address, account, address. The last two never keep an account from an
 * address that it has signed in from before, so that nobody is locked out by a stranger's failures.
 */
export class LoginGuard {
  readonly #database: Database;
  readonly #clock: () => number;

  constructor(database: Database, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Throws {@link SignInBlockedError} when the attempt must wait. */
  async check(attempt: SignInAttempt): Promise<void> {
    const keys = keysOf(attempt);
    const now = this.#clock();
    const blocks = await this.#database.db
      .selectFrom('login_failures')
      .select(['key', 'blocked_until_ms'])
      .where('key', 'in', Object.values(keys))
      .where('blocked_until_ms', '>', now)
      .execute();
    if (blocks.length === 0) return;
    const known = await this.#isKnown(attempt);
    const untilMs = Math.max(
      0,
      ...blocks.filter(({ key }) => !known || key === keys.pair).map((block) => block.blocked_until_ms),
    );
    if (untilMs > now) throw new SignInBlockedError(Math.ceil((untilMs - now) / 1000));
  }

  /** Counts a failure. */
  async failed(attempt: SignInAttempt): Promise<void> {
    const keys = keysOf(attempt);
    const failures = await this.#count(keys.pair, PAIR);
    await this.#count(keys.account, ACCOUNT);
    if (failures <= PAIR_FAILURES_AGAINST_ADDRESS) await this.#count(keys.address, ADDRESS);
  }

  /** Forgets the account's failures, and remembers where it signed in from. */
  async succeeded(attempt: SignInAttempt): Promise<void> {
    const keys = keysOf(attempt);
    await this.#database.db.deleteFrom('login_failures').where('key', 'in', [keys.pair, keys.account]).execute();
    const { userId } = attempt;
    if (userId === undefined) return;
    const now = this.#clock();
    await this.#database.db
      .insertInto('login_addresses')
      .values({ user_id: userId, address: countedAddress(attempt.address), last_success_at_ms: now })
      .onConflict((conflict) =>
        conflict
          .columns(['user_id', 'address'])
          .doUpdateSet({ last_success_at_ms: now })
          .where('login_addresses.last_success_at_ms', '<', now - KNOWN_ADDRESS_REFRESH_MS),
      )
      .execute();
  }

  /** Counts an account made by nobody in particular; throws {@link SignInBlockedError} for too many. */
  async registering(address: string): Promise<void> {
    const key = `registration:${countedAddress(address)}`;
    const now = this.#clock();
    const row = await this.#database.db
      .selectFrom('login_failures')
      .select('blocked_until_ms')
      .where('key', '=', key)
      .executeTakeFirst();
    const untilMs = row?.blocked_until_ms ?? 0;
    if (untilMs > now) throw new SignInBlockedError(Math.ceil((untilMs - now) / 1000));
    await this.#count(key, REGISTRATION);
  }

  /** Lets an account sign in at once: an administrator has set a new password. */
  async forgive(account: string): Promise<void> {
    await this.#database.db
      .deleteFrom('login_failures')
      .where((where) =>
        where.or([where('key', '=', accountKey(account)), where('key', 'like', `${pairPrefix(account)}%`)]),
      )
      .execute();
  }

  /** Removes what no longer counts. */
  async prune(): Promise<void> {
    const now = this.#clock();
    await this.#database.db
      .deleteFrom('login_failures')
      .where('last_failure_at_ms', '<', now - FORGOTTEN_AFTER_MS)
      .where('blocked_until_ms', '<', now)
      .execute();
    await this.#database.db
      .deleteFrom('login_addresses')
      .where('last_success_at_ms', '<', now - KNOWN_ADDRESS_FOR_MS)
      .execute();
  }

  async #isKnown({ userId, address }: SignInAttempt): Promise<boolean> {
    if (userId === undefined) return false;
    const row = await this.#database.db
      .selectFrom('login_addresses')
      .select('user_id')
      .where('user_id', '=', userId)
      .where('address', '=', countedAddress(address))
      .where('last_success_at_ms', '>', this.#clock() - KNOWN_ADDRESS_FOR_MS)
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Adds one in the database, where no attempt of another process is lost, and gives the number. */
  async #count(key: string, patience: Patience): Promise<number> {
    const now = this.#clock();
    const forgottenBefore = now - FORGOTTEN_AFTER_MS;
    const { failures } = await this.#database.db
      .insertInto('login_failures')
      .values({ key, failures: 1, last_failure_at_ms: now, blocked_until_ms: 0 })
      .onConflict((conflict) =>
        conflict.column('key').doUpdateSet((row) => ({
          failures: row
            .case()
            .when('login_failures.last_failure_at_ms', '<', forgottenBefore)
            .then(1)
            .else(row('login_failures.failures', '+', 1))
            .end(),
          last_failure_at_ms: now,
        })),
      )
      .returning('failures')
      .executeTakeFirstOrThrow();
    const waitMs = waitAfter(failures, patience);
    if (waitMs > 0) {
      await this.#database.db
        .updateTable('login_failures')
        .set({ blocked_until_ms: now + waitMs })
        .where('key', '=', key)
        .execute();
    }
    return failures;
  }
}

function waitAfter(failures: number, { from, maxWaitMs }: Patience): number {
  const beyond = failures - from;
  return beyond < 0 ? 0 : Math.min(maxWaitMs, 1000 * 2 ** Math.min(beyond, 30));
}

/** Names are digested: people type passwords into the field for names. */
function keysOf({ account, address }: SignInAttempt): Keys {
  const counted = countedAddress(address);
  return {
    pair: `${pairPrefix(account)}${counted}`,
    account: accountKey(account),
    address: `address:${counted}`,
  };
}

function pairPrefix(account: string): string {
  return `pair:${digest(account)}:`;
}

function accountKey(account: string): string {
  return `account:${digest(account)}`;
}

function digest(account: string): string {
  return createHash('sha256').update(account).digest('hex').slice(0, 32);
}
