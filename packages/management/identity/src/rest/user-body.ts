import type { User } from '../users/user.ts';

/** A user in Harbor's form. */
export interface UserBody {
  readonly user_id: number;
  readonly username: string;
  readonly email: string;
  readonly realname: string;
  readonly comment: string;
  readonly sysadmin_flag: boolean;
  readonly admin_role_in_auth: boolean;
  readonly oidc_user_meta?: OidcUserBody;
  readonly creation_time: string;
  readonly update_time: string;
}

interface OidcUserBody {
  readonly id: number;
  readonly user_id: number;
  readonly subiss: string;
  /** Whether there is a CLI secret; the secret itself is not kept. */
  readonly has_secret: boolean;
  readonly creation_time: string;
  readonly update_time: string;
}

/** A user in Harbor's form. */
export function userBody(user: User): UserBody {
  return {
    user_id: user.id,
    username: user.name,
    email: user.email,
    realname: user.realName,
    comment: user.comment,
    sysadmin_flag: user.systemAdministrator,
    admin_role_in_auth: user.administratorBySource,
    ...(user.source === 'oidc' ? { oidc_user_meta: oidcBody(user) } : {}),
    creation_time: timeText(user.createdAtMs),
    update_time: timeText(user.updatedAtMs),
  };
}

/** A moment as the API writes it. */
export function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function oidcBody(user: User): OidcUserBody {
  const [issuer = '', subject = ''] = (user.subject ?? '').split(' ', 2);
  return {
    id: user.id,
    user_id: user.id,
    subiss: `${subject}${issuer}`,
    has_secret: user.cliSecretUpdatedAtMs !== undefined,
    creation_time: timeText(user.createdAtMs),
    update_time: timeText(user.cliSecretUpdatedAtMs ?? user.updatedAtMs),
  };
}
