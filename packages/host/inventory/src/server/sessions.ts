import { randomBytes } from 'node:crypto';
import { VicError } from '@vic/errors';
import { randomUuid } from '@vic/ids';
import { type ManagedObjectReference, type UserSession, VimFault, make } from '@vic/vim';
import { type ManagedObject, keyOf } from '../model/managed-object.ts';

const DEFAULT_IDLE_MS = 30 * 60_000;
/** Bounds the memory that clients which never log out can take. */
const MAX_SESSIONS = 1000;
const MAX_OBJECTS_PER_SESSION = 1000;
/** Tickets are used at once by whoever asked for them. */
const TICKET_LIFETIME_MS = 60_000;

/** One login: who, since when, and the views and collectors that belong to it. */
export class Session {
  readonly key = randomUuid();
  /** The cookie's value. */
  readonly token = randomBytes(32).toString('hex');
  readonly loginTime: Date;
  readonly userName: string;
  readonly fullName: string;
  readonly clientAddress: string;
  readonly userAgent: string;
  lastActiveAt: Date;
  callCount = 0;
  /** Calls under way; a session with any is not idle. */
  activeCalls = 0;
  readonly #objects = new Map<string, ManagedObject & Partial<Disposable>>();
  readonly #ended = new AbortController();

  constructor(init: { userName: string; fullName: string; clientAddress: string; userAgent: string; now: Date }) {
    this.userName = init.userName;
    this.fullName = init.fullName;
    this.clientAddress = init.clientAddress;
    this.userAgent = init.userAgent;
    this.loginTime = init.now;
    this.lastActiveAt = init.now;
  }

  /** Fires when the session ends. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** The session's own object that a reference names. */
  find(ref: ManagedObjectReference): ManagedObject | undefined {
    return this.#objects.get(keyOf(ref));
  }

  /** Adds an object that lives as long as the session. */
  add<T extends ManagedObject & Partial<Disposable>>(object: T): T {
    if (this.#objects.size >= MAX_OBJECTS_PER_SESSION) {
      throw new VimFault({
        fault: make('SystemError', { reason: 'too many session objects' }),
        message: `This session has ${MAX_OBJECTS_PER_SESSION} views, collectors and filters.`,
        remedy: 'Destroy those that are no longer used.',
      });
    }
    this.#objects.set(keyOf(object.ref), object);
    return object;
  }

  /** Forgets an object of the session and releases what it holds. */
  remove(object: ManagedObject & Partial<Disposable>): void {
    if (this.#objects.delete(keyOf(object.ref))) object[Symbol.dispose]?.();
  }

  /** Ends the session with everything that belongs to it. */
  end(): void {
    for (const object of this.#objects.values()) this.remove(object);
    this.#ended.abort(
      new VicError({ class: 'Unauthenticated', code: 'SESSION_ENDED', message: 'The session has ended.' }),
    );
  }

  /** The session as the API shows it. */
  toUserSession(): UserSession {
    return {
      key: this.key,
      userName: this.userName,
      fullName: this.fullName,
      loginTime: this.loginTime,
      lastActiveTime: this.lastActiveAt,
      locale: 'en',
      messageLocale: 'en',
      extensionSession: false,
      ipAddress: this.clientAddress,
      userAgent: this.userAgent,
      callCount: this.callCount,
    };
  }
}

/** All sessions; those idle for too long end. */
export class Sessions implements Disposable {
  readonly #byToken = new Map<string, Session>();
  readonly #tickets = new Map<string, { readonly session: Session; readonly expiresAtMs: number }>();
  readonly #now: () => Date;
  readonly #timer: NodeJS.Timeout;
  idleMs = DEFAULT_IDLE_MS;

  constructor(now: () => Date) {
    this.#now = now;
    this.#timer = setInterval(() => this.#sweep(), 30_000).unref();
  }

  /** Opens a session for a user who has been authenticated. */
  open(init: { userName: string; fullName: string; clientAddress: string; userAgent: string }): Session {
    if (this.#byToken.size >= MAX_SESSIONS) {
      throw new VimFault({
        fault: make('SystemError', { reason: 'too many sessions' }),
        message: 'There are too many sessions.',
      });
    }
    const session = new Session({ ...init, now: this.#now() });
    this.#byToken.set(session.token, session);
    return session;
  }

  /** The session of a cookie, which counts as used by this. */
  use(token: string): Session | undefined {
    const session = this.#byToken.get(token);
    if (session === undefined || this.#isIdle(session)) return undefined;
    session.lastActiveAt = this.#now();
    return session;
  }

  /** The session with this key, as `UserSession.key` names it. */
  byKey(key: string): Session | undefined {
    return this.list().find((session) => session.key === key);
  }

  list(): readonly Session[] {
    return [...this.#byToken.values()];
  }

  /** Ends a session. */
  end(session: Session): void {
    this.#byToken.delete(session.token);
    session.end();
  }

  /** A ticket for one file transfer in the name of the session. */
  issueTicket(session: Session): string {
    const ticket = randomBytes(24).toString('hex');
    this.#tickets.set(ticket, { session, expiresAtMs: this.#now().getTime() + TICKET_LIFETIME_MS });
    return ticket;
  }

  /** The session of a ticket, which is used up by this. */
  redeemTicket(ticket: string): Session | undefined {
    const issued = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    if (issued === undefined || issued.expiresAtMs < this.#now().getTime() || issued.session.ended.aborted)
      return undefined;
    return issued.session;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const session of this.list()) this.end(session);
  }

  #isIdle(session: Session): boolean {
    return session.activeCalls === 0 && this.#now().getTime() - session.lastActiveAt.getTime() > this.idleMs;
  }

  #sweep(): void {
    for (const session of this.list()) if (this.#isIdle(session)) this.end(session);
    for (const [ticket, { expiresAtMs }] of this.#tickets) {
      if (expiresAtMs < this.#now().getTime()) this.#tickets.delete(ticket);
    }
  }
}
