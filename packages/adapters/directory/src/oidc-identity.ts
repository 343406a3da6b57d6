/** Whom a provider says the user is. */
export interface OidcIdentity {
  readonly issuer: string;
  readonly subject: string;
  /** From the configured claim, or `name`; `undefined` when there is none. */
  readonly userName: string | undefined;
  readonly realName: string;
  readonly email: string;
  /** `undefined` when the provider says nothing of groups. */
  readonly groups: readonly string[] | undefined;
}

type Claims = Readonly<Record<string, unknown>>;

/** Which claims mean what. */
export interface ClaimNames {
  readonly userClaim?: string;
  readonly groupsClaim?: string;
}

/** A provider could send any number of groups. */
const MAX_GROUPS = 1000;

/**
 * The identity in the claims of the ID token and of the user information endpoint.
 *
 * The configured claim of the token wins for the name, the endpoint for everything else.
 */
export function identityFromClaims(token: Claims, userInfo: Claims, names: ClaimNames): OidcIdentity {
  const configured = names.userClaim ?? '';
  const named = configured === '' ? undefined : (text(token[configured]) ?? text(userInfo[configured]));
  const realName = text(userInfo['name']) ?? text(token['name']);
  return {
    issuer: text(token['iss']) ?? '',
    subject: text(token['sub']) ?? '',
    userName: named ?? realName,
    realName: realName ?? named ?? '',
    email: text(userInfo['email']) ?? text(token['email']) ?? '',
    groups: groupsIn(userInfo, names) ?? groupsIn(token, names),
  };
}

/** One group may come as a plain text. */
function groupsIn(claims: Claims, { groupsClaim = '' }: ClaimNames): readonly string[] | undefined {
  const value = groupsClaim === '' ? undefined : claims[groupsClaim];
  if (typeof value === 'string') return [value];
  if (!Array.isArray(value)) return undefined;
  const names = value.filter((group): group is string => typeof group === 'string' && group !== '');
  return [...new Set(names)].slice(0, MAX_GROUPS);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
