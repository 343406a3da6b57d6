import { VicError } from '@vic/errors';

/** The account or address must wait after failed sign-ins. */
export class SignInBlockedError extends VicError {
  /** For the `Retry-After` header. */
  readonly retryAfterSeconds: number;

  /** To be tried again after so long. */
  constructor(retryAfterSeconds: number) {
    super({
      class: 'RateLimited',
      code: 'SIGN_IN_BLOCKED',
      message: `Too many failed sign-ins. Try again in ${retryAfterSeconds} s.`,
    });
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The same words whatever was wrong: an account that is not there must not show. */
export function wrongCredentials(): VicError {
  return new VicError({
    class: 'Unauthenticated',
    code: 'CREDENTIALS_WRONG',
    message: 'unauthorized: the user name or password is not correct',
  });
}
