import { VicError } from '@vic/errors';
import { isAcceptableSecret } from './random-secret.ts';

/** Refuses a password or secret that does not follow Harbor's rule, in Harbor's words. */
export function requireAcceptableSecret(secret: string): void {
  if (isAcceptableSecret(secret)) return;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'SECRET_TOO_WEAK',
    message:
      'the password or secret must be 8-128, inclusively, characters long with at least 1 uppercase letter, 1 lowercase letter and 1 number',
  });
}
