import type { Principal, RobotPrincipal, UserPrincipal } from '@vic/authz';
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
  /** The account as it is now; `undefined` when it is gone, disabled or expired. */
  currentPrincipal(account: AccountReference): Promise<UserPrincipal | RobotPrincipal | undefined>;
  /**
   * When the account's password or secret was last changed, in milliseconds since 1970; a refresh token made
   * before is refused.
   */
  credentialsChangedAt(account: AccountReference): Promise<number>;
}
