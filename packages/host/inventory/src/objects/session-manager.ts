import { type UserSession, VimFault, make } from '@vic/vim';
import type { Call, Handlers } from '../model/call.ts';
import { notFound } from '../model/faults.ts';
import type { Host } from '../model/host.ts';
import { ManagedObject } from '../model/managed-object.ts';
import { WELL_KNOWN } from '../model/well-known.ts';
import { requireSession } from '../server/require-session.ts';
import type { Session } from '../server/sessions.ts';

/** A call that may open a session: the transport hands the new session's cookie to the client. */
export interface LoginCall extends Call {
  readonly userAgent: string;
  readonly onLogin: (session: Session) => void;
}

/** Logs users in and out. */
export class SessionManager extends ManagedObject {
  readonly #host: Host;

  constructor(host: Host) {
    super('SessionManager', WELL_KNOWN.sessionManager.value, host.changes);
    this.#host = host;
  }

  protected readonly properties = {
    defaultLocale: () => 'en',
    supportedLocaleList: () => ['en'],
    messageLocaleList: () => ['en'],
  };

  override readFor(name: string, session: Session | undefined): unknown {
    if (name === 'currentSession') return session?.toUserSession();
    if (name !== 'sessionList') return this.read(name);
    const mayList =
      session !== undefined &&
      this.#host.authorization.allows(session.userName, 'Sessions.TerminateSession', undefined);
    return mayList ? this.#host.sessions.list().map((other) => other.toUserSession()) : undefined;
  }

  readonly handlers: Handlers<SessionManager> = {
    Login: async (_self, { userName, password, locale }, call) => this.#login(userName, password, locale, call),
    Logout: (_self, _args, call) => {
      this.#host.sessions.end(requireSession(call));
      return undefined;
    },
    SessionIsActive: (_self, { sessionID, userName }) => this.#host.sessions.byKey(sessionID)?.userName === userName,
    TerminateSession: (_self, { sessionId }) => {
      const sessions = sessionId.map((key) => this.#host.sessions.byKey(key));
      for (const session of sessions) {
        if (session === undefined) throw notFound('There is no such session.');
        this.#host.sessions.end(session);
      }
      return undefined;
    },
    AcquireGenericServiceTicket: (_self, _args, call) => ({
      id: this.#host.sessions.issueTicket(requireSession(call)),
      hostName: this.#host.hostname,
    }),
  };

  async #login(userName: string, password: string, locale: string | undefined, call: Call): Promise<UserSession> {
    if (locale !== undefined && !/^en([_-]US)?$/i.test(locale)) {
      throw new VimFault({ fault: make('InvalidLocale', {}), message: 'Only the locale en is available.' });
    }
    if (call.session !== undefined) {
      throw new VimFault({
        fault: make('InvalidLogin', {}),
        message: 'This session is logged in already.',
        remedy: 'Log out first.',
      });
    }
    const user = await this.#host.users.verify(userName, password);
    if (user === undefined) {
      this.#host.logger.warn('Login refused', { userName: userName.slice(0, 100), clientAddress: call.clientAddress });
      throw new VimFault({
        fault: make('InvalidLogin', {}),
        message: 'Cannot complete login due to an incorrect user name or password.',
      });
    }
    const { onLogin, userAgent } = call as LoginCall;
    const session = this.#host.sessions.open({
      userName: user.name,
      fullName: user.fullName ?? user.name,
      clientAddress: call.clientAddress,
      userAgent,
    });
    onLogin(session);
    this.#host.events.post({
      ...make('UserLoginSessionEvent', {
        key: 0,
        chainId: 0,
        createdTime: session.loginTime,
        userName: user.name,
        ipAddress: call.clientAddress,
        userAgent,
        locale: 'en',
        sessionId: session.key,
        fullFormattedMessage: `User ${user.name}@${call.clientAddress} logged in as ${userAgent}`,
      }),
    });
    return session.toUserSession();
  }
}
