import { type AuditLog, FailedSignIns } from '@vic/audit';
import { isAccessToken } from '@vic/identity';
import { visibleProjectIds } from '@vic/projects';
import type { RestServices } from '@vic/rest';
import {
  AccessTokens,
  BearerAccounts,
  NotaryAccess,
  RefreshTokens,
  RegistryAccess,
  ScopeAccess,
  TokenKeys,
  TokenService,
  type TokenRoutesDeps,
} from '@vic/tokens';
import { API_PREFIX } from './api-prefix.ts';
import type { Management } from './compose/management.ts';
import type { RegistryConfiguration } from './configuration.ts';
import type { Storage } from './storage.ts';

/** Who may do what with repositories and collections, by token or password. */
export interface Access {
  readonly registry: RegistryAccess;
  readonly notary: NotaryAccess;
  readonly tokenRoutes: TokenRoutesDeps;
  /** Who makes a request to the REST API. */
  readonly rest: RestServices['authenticate'];
}

/** Composes the token service and those who check its tokens. */
export function composeAccess(
  { externalUrl }: RegistryConfiguration,
  { database, secrets }: Storage,
  { identity, projects, authorizer, settings }: Management,
  audit: Pick<AuditLog, 'record'>,
): Access {
  const keys = new TokenKeys({ database, secrets });
  const tokens = new AccessTokens({ keys, tokenExpirationMinutes: async () => settings.get('token_expiration') });
  const access = new ScopeAccess({ authorizer, projects });
  const authenticate: RestServices['authenticate'] = async (credentials) => identity.authenticate(credentials);
  const failures = new FailedSignIns({ log: audit });
  // The token service records sign-ins itself.
  const direct = { authenticate: failures.recording('/v2', authenticate) };
  const shared = { tokens, accounts: new BearerAccounts({ identity }), access, identity: direct, externalUrl };
  return {
    registry: new RegistryAccess({
      ...shared,
      visibleProjects: async (principal) => visibleProjectIds(database.db, principal),
    }),
    notary: new NotaryAccess(shared),
    rest: failures.recording(API_PREFIX, authenticate),
    tokenRoutes: {
      service: new TokenService({ tokens, access }),
      keys,
      refreshTokens: new RefreshTokens({ database, identity }),
      identity,
      isPersonalToken: isAccessToken,
      recordSignIn: async ({ principal, name, address, method, succeeded }) =>
        audit.record({
          ...{ principal, address, method, succeeded, project: undefined },
          ...{ operation: 'login', resourceType: 'user', resource: name, path: '/service/token' },
        }),
    },
  };
}
