import { Buffer } from 'node:buffer';

/** Credentials for a registry as the `X-Registry-Auth` header and `POST /auth` carry them. */
export interface RegistryAuth {
  readonly username: string;
  readonly password: string;
  readonly serverAddress: string;
  readonly identityToken: string;
  readonly registryToken: string;
}

/** How long the header may be; Node's own header limit is smaller by default. */
const MAX_HEADER_LENGTH = 64 * 1024;

/** Decodes the header's base64url (or base64) JSON; `undefined` for an absent, empty or malformed header, which pulls ignore as Docker does. */
export function decodeRegistryAuth(header: string | undefined): RegistryAuth | undefined {
  if (header === undefined || header === '' || header.length > MAX_HEADER_LENGTH) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const auth = registryAuthOf(parsed as Record<string, unknown>);
  return auth.username === '' && auth.identityToken === '' && auth.registryToken === '' ? undefined : auth;
}

/** Credentials from the wire's lower-case fields; anything that is not text counts as empty. */
export function registryAuthOf(wire: Readonly<Record<string, unknown>>): RegistryAuth {
  const text = (name: string): string => {
    const value = wire[name];
    return typeof value === 'string' ? value : '';
  };
  return {
    username: text('username'),
    password: text('password'),
    serverAddress: text('serveraddress'),
    identityToken: text('identitytoken'),
    registryToken: text('registrytoken'),
  };
}
