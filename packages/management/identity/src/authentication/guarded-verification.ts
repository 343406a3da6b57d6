import { KeyedMutex } from '@vic/async';
import { VerifiedCredentials } from '../credentials/verified-credentials.ts';
import type { LoginGuard, SignInAttempt } from '../protection/login-guard.ts';
import { wrongCredentials } from '../protection/sign-in-refused.ts';

/** A secret that is to be verified for an account. */
export interface Verification<T> {
  readonly attempt: SignInAttempt;
  readonly secret: string;
  /** What the secret would be verified against, and what is then given; absent when that is not known before. */
  readonly known?: { readonly against: string; readonly result: T };
  /** The slow way; `undefined` when the secret is wrong. */
  verify(): Promise<{ readonly against: string; readonly result: T } | undefined>;
}

/**
 * Verifies secrets with protection against guessing and without paying twice for the same right answer.
 *
 * One attempt at an account at a time: guesses made at the same moment are all counted, and many requests with
 * the same right secret cost one verification.
 */
export class GuardedVerification {
  readonly #guard: LoginGuard;
  readonly #verified: VerifiedCredentials;
  readonly #mutex = new KeyedMutex();

  constructor(guard: LoginGuard, lifetimeMs: number, clock: () => number) {
    this.#guard = guard;
    this.#verified = new VerifiedCredentials(lifetimeMs, clock);
  }

  /** What the right secret gives; throws for a wrong one, and for one that comes too soon after failures. */
  async run<T>(verification: Verification<T>): Promise<T> {
    await this.#guard.check(verification.attempt);
    const remembered = this.#remembered(verification);
    if (remembered !== undefined) return remembered.result;
    return this.#mutex.run(verification.attempt.account, async () => {
      const { attempt, secret } = verification;
      await this.#guard.check(attempt);
      const verified = this.#remembered(verification) ?? (await verification.verify());
      if (verified === undefined) {
        await this.#guard.failed(attempt);
        throw wrongCredentials();
      }
      if (this.#verified.has(attempt.account, secret, verified.against)) return verified.result;
      this.#verified.add(attempt.account, secret, verified.against);
      await this.#guard.succeeded(attempt);
      return verified.result;
    });
  }

  #remembered<T>({ attempt, secret, known }: Verification<T>): Verification<T>['known'] {
    return known !== undefined && this.#verified.has(attempt.account, secret, known.against) ? known : undefined;
  }
}
