import type { WantedAccess } from '@vic/distribution';
import { REGISTRY_SERVICE } from './service.ts';

/** What a client that showed credentials of another kind than a token is told. */
export const BASIC_CHALLENGE = 'Basic realm="harbor"';

/** Where tokens are to be had, as this client can reach it. */
export interface Realm {
  /** The address the installation is known by: gives the scheme, and the host when the request names none. */
  readonly externalUrl: string;
  /** The request's `Host`, so that aliases and forwarded ports work. */
  readonly host: string | undefined;
}

/** The challenge that sends a client to the token service for this access. */
export function bearerChallenge(
  realm: Realm,
  wanted: readonly WantedAccess[],
  options: { readonly service?: string; readonly error?: 'invalid_token' | 'insufficient_scope' } = {},
): string {
  const scope = wanted.map(({ type, name, actions }) => `${type}:${name}:${actionsAsked(actions)}`).join(' ');
  return [
    `Bearer realm="${realmUrl(realm)}"`,
    `service="${options.service ?? REGISTRY_SERVICE}"`,
    ...(scope === '' ? [] : [`scope="${scope}"`]),
    ...(options.error === undefined ? [] : [`error="${options.error}"`]),
  ].join(',');
}

function realmUrl({ externalUrl, host }: Realm): string {
  const url = new URL(externalUrl);
  // The header reaches the answer, so only characters of a host pass.
  const authority = host !== undefined && /^[\w.:[\]-]{1,255}$/.test(host) ? host : url.host;
  return `${url.protocol}//${authority}/service/token`;
}

/** Who pushes also reads what is there. */
function actionsAsked(actions: readonly string[]): string {
  const asked = actions.includes('push') ? ['pull', 'push'] : [];
  return [...new Set([...asked, ...actions])].join(',');
}
