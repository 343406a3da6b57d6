import { VicError } from '@vic/errors';

/** The error a user understands for a failed conversation with the provider; never carries tokens. */
export function oidcError(error: unknown, step: 'discovery' | 'sign-in'): VicError {
  if (error instanceof VicError) return error;
  const cause = error instanceof Error && error.cause instanceof VicError ? error.cause : undefined;
  if (cause !== undefined) return unavailable(cause.message, error);
  const text = error instanceof Error ? error.message : String(error);
  if (step === 'discovery') return unavailable(text, error);
  const denied = deniedReason(error);
  return new VicError({
    class: 'InvalidArgument',
    code: 'OIDC_SIGN_IN_FAILED',
    message: `The OIDC provider's answer was refused: ${denied ?? text}.`,
    remedy: 'Sign in again; when it fails again, check client id, secret and redirect address at the provider.',
    cause: error,
  });
}

function unavailable(text: string, cause: unknown): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'OIDC_UNAVAILABLE',
    message: `The OIDC provider cannot be used: ${text}.`,
    remedy: 'Check the endpoint, and whether its certificate is trusted.',
    cause,
  });
}

/** What the provider itself gave as reason, as `access_denied - why`. */
function deniedReason(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('error' in error) || typeof error.error !== 'string') return undefined;
  const description = 'error_description' in error ? error.error_description : undefined;
  return typeof description === 'string' ? `${error.error} - ${description}` : error.error;
}
