import type { Principal } from '@vic/authz';
import {
  type Access,
  AccessChallenge,
  type AccessRequest,
  type DistributionAccess,
  type WantedAccess,
} from '@vic/distribution';
import { describeError, isVicError } from '@vic/errors';
import { type AccessTokens, type GrantedAccess, isAccessToken } from './access-tokens.ts';
import type { BearerAccounts } from './bearer-accounts.ts';
import { BASIC_CHALLENGE, bearerChallenge } from './challenge.ts';
import type { ScopeAccess } from './scope-access.ts';
import { REGISTRY_SERVICE } from './service.ts';
import type { TokenIdentity } from './token-identity.ts';

/** What {@link RegistryAccess} is composed of. */
export interface RegistryAccessDeps {
  readonly tokens: AccessTokens;
  readonly accounts: BearerAccounts;
  readonly access: ScopeAccess;
  readonly identity: Pick<TokenIdentity, 'authenticate'>;
  /** The address the installation is known by; its scheme is the realm's. */
  readonly externalUrl: string;
  visibleProjects(principal: Principal): Promise<readonly number[] | 'all'>;
}

/** Who asks, and what the token shown allows at most. */
interface Caller {
  readonly principal: Principal;
  /** `undefined` when credentials were shown instead of a token. */
  readonly limits: readonly GrantedAccess[] | undefined;
}

/**
 * Decides about requests to `/v2`, by a token or by credentials shown directly.
 *
 * A token says what was allowed when it was made; what is allowed now decides as well. A project made private,
 * a member removed, a robot disabled: tokens made before are refused from then on.
 */
export class RegistryAccess implements DistributionAccess {
  readonly #deps: RegistryAccessDeps;

  constructor(deps: RegistryAccessDeps) {
    this.#deps = deps;
  }

  async authorize(request: AccessRequest): Promise<Access> {
    const caller = await this.#callerOf(request);
    const repository = request.wanted.find(({ type }) => type === 'repository')?.name;
    const project = repository === undefined ? undefined : await this.#deps.access.projectOf(repository);
    const isMissing = repository !== undefined && project === undefined;
    // Who sees every project is told that this one is not there, by the refusal of the operation itself.
    const mayKnow = isMissing && caller.principal.kind === 'user' && caller.principal.systemAdministrator;
    if (!mayKnow) await this.#require(request, caller);
    await this.#inviteToAskForMore(request, caller);
    return {
      principal: caller.principal,
      project,
      allows: async (wanted) =>
        (await this.#allows(caller, wanted)) || (await this.#isBesidePush(request, caller, wanted)),
      visibleProjects: async () => this.#deps.visibleProjects(caller.principal),
    };
  }

  async #require(request: AccessRequest, caller: Caller): Promise<void> {
    if (request.wanted.length === 0 && caller.principal.kind === 'anonymous') {
      throw new AccessChallenge(this.#challenge(request, undefined), 'unauthorized');
    }
    for (const wanted of request.wanted) {
      if (await this.#allows(caller, wanted)) continue;
      throw new AccessChallenge(this.#challenge(request, caller), refusal(wanted));
    }
  }

  /**
   * Whether somebody who pushes into a project asks for what is in another repository of it, which the token does
   * not name because no client can: that of a mount without a source. What the owner may decides.
   */
  async #isBesidePush(request: AccessRequest, caller: Caller, wanted: WantedAccess): Promise<boolean> {
    const [project = ''] = wanted.name.split('/');
    const isPush = request.wanted.some(
      ({ type, name, actions }) => type === 'repository' && name.startsWith(`${project}/`) && actions.includes('push'),
    );
    if (!isPush || wanted.actions.some((action) => action !== 'pull')) return false;
    return this.#allows({ ...caller, limits: undefined }, wanted);
  }

  /** A token made for one repository does not cover the source of a mount, though its owner may well pull there. */
  async #inviteToAskForMore(request: AccessRequest, caller: Caller): Promise<void> {
    if (caller.limits === undefined) return;
    for (const useful of request.useful ?? []) {
      const live: Caller = { ...caller, limits: undefined };
      if ((await this.#allows(caller, useful)) || !(await this.#allows(live, useful))) continue;
      throw new AccessChallenge(this.#challenge(request, caller), `the token does not cover ${useful.name}`);
    }
  }

  /** Without credentials a client is always sent to the token service, on public projects too. */
  async #callerOf(request: AccessRequest): Promise<Caller> {
    const { authorization } = request;
    if (authorization === undefined || authorization === '') {
      throw new AccessChallenge(this.#challenge(request, undefined), 'unauthorized');
    }
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    try {
      if (token !== undefined && isAccessToken(token)) return await this.#callerOfToken(token);
      return { principal: await this.#authenticate(request), limits: undefined };
    } catch (error) {
      if (!isVicError(error, { class: 'Unauthenticated' }) || error instanceof AccessChallenge) throw error;
      const challenge = token === undefined ? BASIC_CHALLENGE : this.#bearerChallenge(request, 'invalid_token');
      throw new AccessChallenge(challenge, describeError(error));
    }
  }

  async #callerOfToken(token: string): Promise<Caller> {
    const verified = await this.#deps.tokens.verify(token, REGISTRY_SERVICE);
    return { principal: await this.#deps.accounts.principalOf(verified), limits: verified.access };
  }

  async #authenticate({ method, authorization, address }: AccessRequest): Promise<Principal> {
    const credentials = { method, authorization, cookie: undefined, csrfToken: undefined, address };
    const principal = await this.#deps.identity.authenticate(credentials);
    if (principal.kind !== 'anonymous') return principal;
    throw new AccessChallenge(BASIC_CHALLENGE, 'unauthorized');
  }

  async #allows(caller: Caller, wanted: WantedAccess): Promise<boolean> {
    // The catalog shows everybody what each may see.
    if (wanted.type === 'registry') return wanted.name === 'catalog';
    const project = await this.#deps.access.projectOf(wanted.name);
    for (const action of wanted.actions) {
      if (!isWithin(caller.limits, wanted.name, action)) return false;
      if (!(await this.#deps.access.mayDo(caller.principal, action, project))) return false;
    }
    return true;
  }

  #challenge(request: AccessRequest, caller: Caller | undefined): string {
    const isCatalog = request.wanted.some(({ type }) => type === 'registry');
    if (isCatalog || (caller !== undefined && caller.limits === undefined)) return BASIC_CHALLENGE;
    return this.#bearerChallenge(request, caller === undefined ? undefined : 'insufficient_scope');
  }

  #bearerChallenge(request: AccessRequest, error: 'invalid_token' | 'insufficient_scope' | undefined): string {
    const { externalUrl } = this.#deps;
    const wanted = [...request.wanted, ...(request.useful ?? [])];
    return bearerChallenge({ externalUrl, host: request.host }, wanted, error === undefined ? {} : { error });
  }
}

/** Says the same of a project that is not there and of one that is not theirs: which of the two is not for them to know. */
function refusal({ type, name, actions }: WantedAccess): string {
  const message = `unauthorized to access ${type}: ${name}, action: ${actions.join(',')}`;
  if (!actions.includes('push')) return message;
  const project = name.split('/')[0] ?? name;
  return `${message}: the project ${project} does not exist, or you may not push to it; a push does not make one`;
}

function isWithin(limits: readonly GrantedAccess[] | undefined, name: string, action: string): boolean {
  if (limits === undefined) return true;
  return limits.some((limit) => limit.type === 'repository' && limit.name === name && limit.actions.includes(action));
}
