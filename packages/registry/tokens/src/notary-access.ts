import type { Principal } from '@vic/authz';
import { AccessChallenge, type WantedAccess } from '@vic/distribution';
import { describeError, isVicError } from '@vic/errors';
import { isAccessToken } from './access-tokens.ts';
import { BASIC_CHALLENGE, bearerChallenge } from './challenge.ts';
import type { RegistryAccessDeps } from './registry-access.ts';
import { withoutHost } from './scope-access.ts';
import { NOTARY_SERVICE } from './service.ts';

/** A request to the Notary server. */
export interface NotaryAccessRequest {
  readonly authorization: string | undefined;
  readonly host: string | undefined;
  readonly address: string;
  /** Absent for `GET /v2/`: any valid credentials do. */
  readonly wanted?: { readonly gun: string; readonly actions: readonly string[] };
}

/** What {@link NotaryAccess} is composed of. */
export type NotaryAccessDeps = Pick<RegistryAccessDeps, 'tokens' | 'accounts' | 'access' | 'identity' | 'externalUrl'>;

/** Decides about requests to the Notary server: who may push to a repository may sign in it. */
export class NotaryAccess {
  readonly #deps: NotaryAccessDeps;

  constructor(deps: NotaryAccessDeps) {
    this.#deps = deps;
  }

  async authorize(request: NotaryAccessRequest): Promise<void> {
    const { authorization, wanted } = request;
    if (authorization === undefined || authorization === '') throw this.#challenge(request, 'unauthorized');
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    let isAllowed: boolean;
    try {
      isAllowed =
        token !== undefined && isAccessToken(token)
          ? await this.#tokenAllows(token, wanted)
          : await this.#mayDo(await this.#authenticate(request), wanted);
    } catch (error) {
      if (!isVicError(error, { class: 'Unauthenticated' })) throw error;
      if (token === undefined) throw new AccessChallenge(BASIC_CHALLENGE, describeError(error));
      throw this.#challenge(request, describeError(error));
    }
    if (!isAllowed) throw this.#challenge(request, `unauthorized to access ${wanted?.gun ?? 'the server'}`);
  }

  async #tokenAllows(token: string, wanted: NotaryAccessRequest['wanted']): Promise<boolean> {
    const verified = await this.#deps.tokens.verify(token, NOTARY_SERVICE);
    const principal = await this.#deps.accounts.principalOf(verified);
    const isWithin =
      wanted === undefined ||
      wanted.actions.every((action) =>
        verified.access.some((limit) => limit.name === wanted.gun && limit.actions.includes(action)),
      );
    return isWithin && (await this.#mayDo(principal, wanted));
  }

  async #mayDo(principal: Principal, wanted: NotaryAccessRequest['wanted']): Promise<boolean> {
    if (wanted === undefined) return true;
    const project = await this.#deps.access.projectOf(withoutHost(wanted.gun));
    for (const action of wanted.actions) {
      if (!(await this.#deps.access.mayDo(principal, action, project))) return false;
    }
    return true;
  }

  async #authenticate({ authorization, address }: NotaryAccessRequest): Promise<Principal> {
    const credentials = { method: 'GET', authorization, cookie: undefined, csrfToken: undefined, address };
    return this.#deps.identity.authenticate(credentials);
  }

  #challenge(request: NotaryAccessRequest, message: string): AccessChallenge {
    const { gun, actions } = request.wanted ?? { gun: '', actions: [] };
    const wanted: readonly WantedAccess[] = gun === '' ? [] : [{ type: 'repository', name: gun, actions }];
    const realm = { externalUrl: this.#deps.externalUrl, host: this.#tokenHost(request.host) };
    return new AccessChallenge(bearerChallenge(realm, wanted, { service: NOTARY_SERVICE }), message);
  }

  /** The Notary server has a port of its own; tokens are made at the installation's, under the name the client knows. */
  #tokenHost(host: string | undefined): string | undefined {
    const { port } = new URL(this.#deps.externalUrl);
    const name = host?.replace(/:\d+$/, '');
    return name === undefined || port === '' ? name : `${name}:${port}`;
  }
}
