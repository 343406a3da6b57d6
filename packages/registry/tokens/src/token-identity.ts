import type { Principal } from '@vic/authz';
import type { Credentials } from '@vic/rest';

/** Which account a token is for. */
export interface AccountReference {
  readonly kind: 'user' | 'robot';
  readonly id: number;
}

/** Accounts and their credentials, as far as tokens need them; implemented by identity. */
export interface TokenIdentity {
  /** `ANONYMOUS` without credentials; throws `Unauthenticated` for wrong ones. */
  authenticate(credentials: Credentials): Promise<Principal>;
  /** The principal as it is now; `undefined` when the account is gone, disabled or expired. */
  renewPrincipal(principal: Principal): Promise<Principal | undefined>;
}

/** The account as it is now, whatever it was when the token was made. */
export async function currentPrincipal(
  identity: Pick<TokenIdentity, 'renewPrincipal'>,
  { kind, id }: AccountReference,
): Promise<Principal | undefined> {
  if (kind === 'robot') return identity.renewPrincipal({ kind, id, name: '', grants: [] });
  return identity.renewPrincipal({ kind, id, name: '', systemAdministrator: false, groupIds: [] });
}
