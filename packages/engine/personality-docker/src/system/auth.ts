import { isVicError, toVicError } from '@vic/errors';
import { AuthConfigSchema, registryAuthOf } from '@vic/docker-api';
import type { Call } from '../http/call.ts';
import type { PersonalityContext } from '../personality.ts';

/** `POST /auth`: the engine itself asks the registry. A registry that cannot be reached is a 500, as with Docker. */
export async function auth(context: PersonalityContext, call: Call): Promise<void> {
  const credentials = registryAuthOf(await call.body(AuthConfigSchema));
  try {
    const { identityToken } = await context.registry.login(credentials, call.signal);
    call.json(200, { Status: 'Login Succeeded', ...(identityToken === '' ? {} : { IdentityToken: identityToken }) });
  } catch (error) {
    const unreachable = isVicError(error, { class: 'Unavailable' }) || isVicError(error, { class: 'DeadlineExceeded' });
    if (!unreachable) throw error;
    call.json(500, { message: toVicError(error).message });
  }
}
