import type { OidcFlow, OidcIdentity } from '@vic/directory';
import { VicError } from '@vic/errors';
import type { SecretBox } from '@vic/secrets';
import { type Database, rewriteColumn } from '@vic/sql';
import { randomToken, tokenDigest } from '../credentials/random-secret.ts';
import type { NewSession, SessionStore } from '../sessions/session-store.ts';
import type { User } from '../users/user.ts';
import type { IdentitySettings } from './identity-configuration.ts';
import type { Onboarding } from './onboarding.ts';
import { type OidcSource, oidcSignIn, requireOidc } from './oidc-source.ts';

/** What {@link OidcSignIn} is composed of. */
export interface OidcSignInDeps {
  readonly database: Database;
  readonly secrets: SecretBox;
  readonly settings: IdentitySettings;
  readonly source: OidcSource;
  readonly onboarding: Onboarding;
  readonly sessions: SessionStore;
  readonly clock: () => number;
}

/** The browser that signs in. */
export interface Browser {
  readonly address: string;
  readonly userAgent: string;
}

/** A user whom the provider has vouched for, with a session. */
export interface OidcSignedIn {
  readonly kind: 'signedIn';
  readonly user: User;
  readonly session: NewSession;
  /** Where the user wanted to go. */
  readonly returnTo: string;
}

/** How a return from the provider went on. */
export type OidcOutcome =
  | OidcSignedIn
  /** The user must choose a name; `cookie` proves to {@link OidcSignIn.onboard} that the provider has vouched. */
  | { readonly kind: 'nameWanted'; readonly suggestion: string; readonly cookie: string; readonly returnTo: string };

type Remembered =
  | { readonly step: 'away'; readonly flow: OidcFlow; readonly returnTo: string }
  | {
      readonly step: 'nameWanted';
      readonly identity: OidcIdentity;
      readonly idToken: string;
      readonly returnTo: string;
    };

const FLOW_LIFETIME_MS = 10 * 60_000;
const CONTEXT = 'OIDC sign-in';
/** A path on this server: not `//elsewhere`, not a scheme, no control characters. */
const LOCAL_PATH = /^\/(?![/\\])[^\p{Cc}\\]{0,2000}$/u;

/** Signing in at the OIDC provider, for browsers. What is remembered is bound to a cookie and can be used once. */
export class OidcSignIn {
  readonly #deps: OidcSignInDeps;

  constructor(deps: OidcSignInDeps) {
    this.#deps = deps;
  }

  /** Where to send the browser, and the cookie it must come back with. */
  async begin(returnTo: string): Promise<{ readonly url: URL; readonly cookie: string }> {
    if (!LOCAL_PATH.test(returnTo)) throw invalid('OIDC_RETURN_INVALID', 'cannot redirect to other site');
    const configuration = requireOidc(await this.#deps.settings.current());
    const { url, flow } = await this.#deps.source.use(configuration, async (client) => client.begin());
    return { url, cookie: await this.#remember({ step: 'away', flow, returnTo }) };
  }

  /** The browser is back; `search` is the query string it came with. */
  async complete(search: string, cookie: string | undefined, browser: Browser): Promise<OidcOutcome> {
    const remembered = await this.#recall(cookie);
    if (remembered?.step !== 'away') throw invalid('OIDC_STATE_MISMATCH', 'State mismatch');
    const configuration = requireOidc(await this.#deps.settings.current());
    const { flow, returnTo } = remembered;
    const { source } = this.#deps;
    const { identity, idToken } = await source.use(configuration, async (client) => client.complete(search, flow));
    const signIn = oidcSignIn(identity, configuration);
    const known = await this.#deps.onboarding.find(signIn.user);
    if (known === undefined && !configuration.autoOnboard) {
      const next = await this.#remember({ step: 'nameWanted', identity, idToken, returnTo });
      return { kind: 'nameWanted', suggestion: signIn.user.name, cookie: next, returnTo };
    }
    const user = await this.#deps.onboarding.signedIn(signIn);
    return { kind: 'signedIn', user, session: await this.#session(user, idToken, browser), returnTo };
  }

  /** Takes over whom the provider has vouched for, under the name the user has chosen. */
  async onboard(name: string, cookie: string | undefined, browser: Browser): Promise<OidcSignedIn> {
    const remembered = await this.#recall(cookie, 'keep');
    if (remembered?.step !== 'nameWanted') {
      throw invalid('OIDC_STATE_MISMATCH', 'Failed to get OIDC user info from session');
    }
    const configuration = requireOidc(await this.#deps.settings.current());
    const user = await this.#deps.onboarding.signedIn(oidcSignIn(remembered.identity, configuration, name));
    await this.#recall(cookie);
    const session = await this.#session(user, remembered.idToken, browser);
    return { kind: 'signedIn', user, session, returnTo: remembered.returnTo };
  }

  /** Where to send the browser to end the session at the provider as well; `undefined` when that is not wanted. */
  async signOutUrl(idToken: string, returnTo: string): Promise<URL | undefined> {
    const { authMode, oidc } = await this.#deps.settings.current();
    if (authMode !== 'oidc_auth' || oidc?.logout !== true) return undefined;
    const token = this.#deps.secrets.open(idToken, CONTEXT);
    return this.#deps.source.use(oidc, async (client) => client.endSessionUrl(token, returnTo));
  }

  /** Removes what was remembered for browsers that never came back. */
  async prune(): Promise<void> {
    const { database, clock } = this.#deps;
    await database.db.deleteFrom('sign_in_flows').where('expires_at_ms', '<=', clock()).execute();
  }

  async #session(user: User, idToken: string, browser: Browser): Promise<NewSession> {
    const sealed = this.#deps.secrets.seal(idToken, CONTEXT);
    return this.#deps.sessions.begin({ userId: user.id, ...browser, idToken: sealed });
  }

  async #remember(data: Remembered): Promise<string> {
    const { database, secrets, clock } = this.#deps;
    const cookie = randomToken();
    await database.db
      .insertInto('sign_in_flows')
      .values({
        id: tokenDigest(cookie),
        data: secrets.seal(JSON.stringify(data), CONTEXT),
        expires_at_ms: clock() + FLOW_LIFETIME_MS,
      })
      .execute();
    return cookie;
  }

  /** What was remembered, and forgets it unless it may be needed again. */
  async #recall(cookie: string | undefined, then: 'forget' | 'keep' = 'forget'): Promise<Remembered | undefined> {
    if (cookie === undefined) return undefined;
    const { database, secrets, clock } = this.#deps;
    const id = tokenDigest(cookie);
    const row =
      then === 'keep'
        ? await database.db.selectFrom('sign_in_flows').selectAll().where('id', '=', id).executeTakeFirst()
        : await database.db.deleteFrom('sign_in_flows').where('id', '=', id).returningAll().executeTakeFirst();
    if (row === undefined || row.expires_at_ms <= clock()) return undefined;
    return JSON.parse(secrets.open(row.data, CONTEXT)) as Remembered;
  }
}

function invalid(code: string, message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code, message, remedy: 'Begin the sign-in again.' });
}

/** Seals what sign-ins and sessions keep again where `reseal` gives another form for it; says how many. */
export async function resealSignIns(
  { db }: Pick<Database, 'db'>,
  reseal: (sealed: string, context: string) => string | undefined,
): Promise<number> {
  const flows = { table: 'sign_in_flows', key: 'id', column: 'data' } as const;
  const sessions = { table: 'user_sessions', key: 'id', column: 'id_token' } as const;
  const again = (sealed: string): string | undefined => reseal(sealed, CONTEXT);
  return (await rewriteColumn(db, flows, again)) + (await rewriteColumn(db, sessions, again));
}
