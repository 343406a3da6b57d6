import { ANONYMOUS, type UserPrincipal } from '@vic/authz';
import { AccessChallenge, type WantedAccess } from '@vic/distribution';
import type { TokenWorld } from './token-world.ts';

/** Who owns what the tests make. */
export const alice: UserPrincipal = { kind: 'user', id: 2, name: 'alice', systemAdministrator: false, groupIds: [] };

/** The service that the tokens of `/v2` are for. */
export const SERVICE = 'harbor-registry';

/** Access to a repository. */
export function repository(name: string, ...actions: string[]): WantedAccess {
  return { type: 'repository', name, actions };
}

/** `Authorization` with a token of that account, or of nobody. */
export async function bearer(world: TokenWorld, name: string | undefined, scope: string): Promise<string> {
  const principal = name === undefined ? ANONYMOUS : world.identity.accounts.get(name);
  if (principal === undefined) throw new Error(`no account ${name}`);
  const { token } = await world.service.issue(principal, { service: SERVICE, scopes: [scope] });
  return `Bearer ${token}`;
}

/** What `/v2` answers: the name of the caller, or the challenge. */
export async function ask(
  world: TokenWorld,
  authorization: string | undefined,
  wanted: readonly WantedAccess[],
  method = 'GET',
): Promise<string> {
  try {
    const request = { method, authorization, host: 'alias:8443', address: '::1', wanted };
    const { principal } = await world.registry.authorize(request);
    return principal.kind === 'anonymous' ? 'anonymous' : principal.name;
  } catch (error) {
    if (error instanceof AccessChallenge) return error.challenge;
    throw error;
  }
}
