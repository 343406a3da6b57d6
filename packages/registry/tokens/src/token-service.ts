import type { Principal } from '@vic/authz';
import { VicError } from '@vic/errors';
import type { AccessTokens, IssuedToken } from './access-tokens.ts';
import { parseScopes } from './scope.ts';
import type { ScopeAccess } from './scope-access.ts';
import { isKnownService } from './service.ts';

/** What {@link TokenService} is composed of. */
export interface TokenServiceDeps {
  readonly tokens: AccessTokens;
  readonly access: ScopeAccess;
}

/** What a client asks for. */
export interface TokenRequest {
  readonly service: string;
  /** As given: repeated, or several separated by spaces. */
  readonly scopes: readonly string[];
}

/** Makes the tokens that clients of the registry ask for. */
export class TokenService {
  readonly #deps: TokenServiceDeps;

  constructor(deps: TokenServiceDeps) {
    this.#deps = deps;
  }

  /** Refuses a service that tokens are not made for; asked before credentials are looked at. */
  checkService(service: string): void {
    if (isKnownService(service)) return;
    throw new VicError({
      class: 'InvalidArgument',
      code: 'TOKEN_SERVICE_UNKNOWN',
      message: `Unable to handle service: ${service.slice(0, 100)}`,
    });
  }

  /**
   * A token with all that the principal may do with what it is asked for.
   *
   * Nobody in particular who asks for nothing is refused: it is by this that `docker login` notices credentials
   * that are not sent.
   */
  async issue(principal: Principal, { service, scopes }: TokenRequest): Promise<IssuedToken> {
    this.checkService(service);
    const requested = parseScopes(scopes);
    if (principal.kind === 'anonymous' && requested.length === 0) {
      throw new VicError({ class: 'Unauthenticated', code: 'TOKEN_FOR_NOBODY', message: 'unauthorized' });
    }
    const access = [];
    for (const scope of requested) access.push(await this.#deps.access.grantedTo(principal, scope, service));
    return this.#deps.tokens.issue(principal, service, access);
  }
}
