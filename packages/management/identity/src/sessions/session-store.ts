import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Database } from '@vic/sql';
import { randomToken, tokenDigest } from '../credentials/random-secret.ts';

/** A session that has just begun. */
export interface NewSession {
  /** The value of the cookie. */
  readonly token: string;
  readonly csrfToken: string;
  readonly expiresAtMs: number;
}

/** A session that is alive. */
export interface Session {
  readonly userId: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** Encrypted; kept for sessions that began at a provider. */
  readonly idToken: string | undefined;
}

/** Whose session begins, and where. */
export interface SessionStart {
  readonly userId: number;
  readonly address: string;
  readonly userAgent: string;
  readonly idToken?: string;
}

/** However busy, a session ends after this. */
const ABSOLUTE_LIFETIME_MS = 12 * 60 * 60_000;
/** How exactly the last use is known; a write for every request would be a hot row. */
const SEEN_GRANULARITY_MS = 60_000;
const MAX_USER_AGENT_LENGTH = 255;
const TOKEN_FORM = /^[\w-]{43}$/;

/** Browsers' sessions: random cookies of which digests are stored, with an idle and an absolute end. */
export class SessionStore {
  readonly #database: Database;
  readonly #clock: () => number;

  constructor(database: Database, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Begins a session. */
  async begin(start: SessionStart): Promise<NewSession> {
    const token = randomToken();
    const now = this.#clock();
    const expiresAtMs = now + ABSOLUTE_LIFETIME_MS;
    await this.#database.db
      .insertInto('user_sessions')
      .values({
        id: tokenDigest(token),
        user_id: start.userId,
        address: start.address,
        user_agent: start.userAgent.slice(0, MAX_USER_AGENT_LENGTH),
        created_at_ms: now,
        last_seen_at_ms: now,
        expires_at_ms: expiresAtMs,
        id_token: start.idToken ?? null,
      })
      .execute();
    return { token, csrfToken: csrfTokenOf(token), expiresAtMs };
  }

  /** The session of a cookie, now seen; `undefined` when there is none, or it has ended. */
  async use(token: string, idleMs: number): Promise<Session | undefined> {
    if (!TOKEN_FORM.test(token)) return undefined;
    const now = this.#clock();
    const id = tokenDigest(token);
    const row = await this.#database.db
      .selectFrom('user_sessions')
      .selectAll()
      .where('id', '=', id)
      .where('expires_at_ms', '>', now)
      .where('last_seen_at_ms', '>', now - idleMs)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    if (row.last_seen_at_ms < now - SEEN_GRANULARITY_MS) {
      await this.#database.db
        .updateTable('user_sessions')
        .set({ last_seen_at_ms: now })
        .where('id', '=', id)
        .where('last_seen_at_ms', '=', row.last_seen_at_ms)
        .execute();
    }
    return {
      userId: row.user_id,
      createdAtMs: row.created_at_ms,
      expiresAtMs: row.expires_at_ms,
      idToken: row.id_token ?? undefined,
    };
  }

  /** Ends the session of a cookie. */
  async end(token: string): Promise<void> {
    await this.#database.db.deleteFrom('user_sessions').where('id', '=', tokenDigest(token)).execute();
  }

  /** Ends all sessions of a user, but for the one that asks. */
  async endAll(userId: number, except?: string): Promise<void> {
    await this.#database.db
      .deleteFrom('user_sessions')
      .where('user_id', '=', userId)
      .where('id', '!=', except === undefined ? '' : tokenDigest(except))
      .execute();
  }

  /** Removes sessions that have ended. */
  async prune(idleMs: number): Promise<void> {
    const now = this.#clock();
    await this.#database.db
      .deleteFrom('user_sessions')
      .where((where) => where.or([where('expires_at_ms', '<=', now), where('last_seen_at_ms', '<=', now - idleMs)]))
      .execute();
  }
}

/** The token that a page of ours sends along, which a stranger's page cannot know: only the cookie makes it. */
export function csrfTokenOf(token: string): string {
  return createHmac('sha256', token).update('csrf').digest('base64url');
}

/** Whether the page sent the token that belongs to the cookie. */
export function isCsrfToken(token: string, csrfToken: string | undefined): boolean {
  const expected = Buffer.from(csrfTokenOf(token));
  const given = Buffer.from(csrfToken ?? '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}
