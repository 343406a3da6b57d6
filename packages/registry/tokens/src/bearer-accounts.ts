import { ANONYMOUS, type Principal } from '@vic/authz';
import { VicError } from '@vic/errors';
import { ShortCache } from '@vic/projects';
import type { VerifiedToken } from './access-tokens.ts';
import { type AccountReference, type TokenIdentity, currentPrincipal } from './token-identity.ts';

/** How old another process's change of an account may be before this one sees it. */
const MAX_AGE_MS = 1_000;

/** Finds out who the accounts of tokens are now: groups, rights and robots' grants change while tokens live. */
export class BearerAccounts {
  readonly #identity: Pick<TokenIdentity, 'renewPrincipal'>;
  readonly #principals: ShortCache<string, Principal | undefined>;

  constructor(deps: { readonly identity: Pick<TokenIdentity, 'renewPrincipal'>; readonly now?: () => number }) {
    this.#identity = deps.identity;
    this.#principals = new ShortCache({ maxAgeMs: MAX_AGE_MS, now: deps.now ?? Date.now });
  }

  /** The principal of the token, limited as the token is; refuses accounts that are gone, disabled or expired. */
  async principalOf(token: VerifiedToken): Promise<Principal> {
    if (token.account === undefined) return ANONYMOUS;
    const principal = await this.#current(token.account);
    if (principal === undefined) {
      throw new VicError({
        class: 'Unauthenticated',
        code: 'TOKEN_ACCOUNT_GONE',
        message: 'the account of the token is disabled, has expired or does not exist any more',
      });
    }
    return principal.kind === 'user' && token.grants !== undefined ? { ...principal, grants: token.grants } : principal;
  }

  async #current(account: AccountReference): Promise<Principal | undefined> {
    return this.#principals.get(`${account.kind} ${account.id}`, async () => currentPrincipal(this.#identity, account));
  }
}
