import { SingleFlight } from '@vic/async';
import { OidcClient, type OidcIdentity } from '@vic/directory';
import { VicError } from '@vic/errors';
import { GROUP_TYPES, type NewGroup } from '../groups/group.ts';
import { tamedName } from '../users/user-rules.ts';
import type { IdentityConfiguration, OidcConfiguration } from './identity-configuration.ts';
import type { SourceSignIn } from './ldap-source.ts';

interface Connected {
  /** The configuration the client was made of, as text. */
  readonly key: string;
  readonly client: OidcClient;
  readonly discoveredAtMs: number;
  /** Operations under way. */
  users: number;
}

/** Providers rotate keys and move endpoints. */
const REDISCOVER_AFTER_MS = 60 * 60_000;

/** The OIDC provider as a source of users, discovered when it is first needed and again when settings change. */
export class OidcSource implements AsyncDisposable {
  readonly #redirectUri: string;
  readonly #clock: () => number;
  readonly #flight = new SingleFlight<Connected>();
  #connected: Connected | undefined;

  constructor(redirectUri: string, clock: () => number) {
    this.#redirectUri = redirectUri;
    this.#clock = clock;
  }

  /** What the operation gives with the client of the configured provider, which is not closed before. */
  async use<T>(configuration: OidcConfiguration, operation: (client: OidcClient) => Promise<T>): Promise<T> {
    const connected = await this.#connect(configuration);
    connected.users++;
    try {
      return await operation(connected.client);
    } finally {
      connected.users--;
      await this.#closeFormer(connected);
    }
  }

  async #connect(configuration: OidcConfiguration): Promise<Connected> {
    const options = { ...configuration, redirectUri: this.#redirectUri };
    const key = JSON.stringify(options);
    const connected = this.#connected;
    const fresh = connected !== undefined && this.#clock() - connected.discoveredAtMs < REDISCOVER_AFTER_MS;
    if (connected?.key === key && fresh) return connected;
    return this.#flight.run(key, async () => {
      const client = await OidcClient.discover(options);
      const former = this.#connected;
      const made = { key, client, discoveredAtMs: this.#clock(), users: 0 };
      this.#connected = made;
      if (former !== undefined) await this.#closeFormer(former);
      return made;
    });
  }

  /** The last who uses a client that another has taken the place of closes it. */
  async #closeFormer(connected: Connected): Promise<void> {
    if (connected !== this.#connected && connected.users === 0) await connected.client[Symbol.asyncDispose]();
  }

  /** Closes the connections to the provider. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connected?.client[Symbol.asyncDispose]();
  }
}

/** The configured provider; refused when people do not sign in by OIDC. */
export function requireOidc({ authMode, oidc }: IdentityConfiguration): OidcConfiguration {
  if (authMode === 'oidc_auth' && oidc !== undefined) return oidc;
  throw new VicError({
    class: 'FailedPrecondition',
    code: 'OIDC_NOT_CONFIGURED',
    message: authMode === 'oidc_auth' ? 'No OIDC provider is configured.' : `auth mode: ${authMode} is not OIDC based`,
    remedy: 'Set auth_mode to oidc_auth, and oidc_endpoint, oidc_client_id and oidc_client_secret.',
  });
}

/** Whom the provider vouches for, in our terms; `name` when the user was asked for one. */
export function oidcSignIn(identity: OidcIdentity, configuration: OidcConfiguration, name?: string): SourceSignIn {
  const { adminGroup } = configuration;
  return {
    user: {
      source: 'oidc',
      subject: `${identity.issuer} ${identity.subject}`,
      name: tamedName(name ?? identity.userName ?? ''),
      email: identity.email,
      realName: identity.realName,
      administrator: adminGroup !== '' && identity.groups?.includes(adminGroup) === true,
    },
    groups: identity.groups === undefined ? undefined : takenOver(identity.groups, configuration),
  };
}

function takenOver(names: readonly string[], { groupFilter }: OidcConfiguration): readonly NewGroup[] {
  const pattern = groupFilter === '' ? undefined : regularExpression(groupFilter);
  return names
    .filter((name) => pattern?.test(name) ?? true)
    .map((name) => ({ type: GROUP_TYPES.oidc, name, ldapDn: '' }));
}

function regularExpression(source: string): RegExp {
  try {
    return new RegExp(source, 'u');
  } catch (cause) {
    throw new VicError({
      class: 'FailedPrecondition',
      code: 'OIDC_GROUP_FILTER_INVALID',
      message: 'The setting oidc_group_filter is not a regular expression.',
      cause,
    });
  }
}
