import type { Principal } from '@vic/authz';
import { VicError } from '@vic/errors';
import { type HttpRequest, Type } from '@vic/http';
import { principalOf, requirePermission } from '@vic/rest';
import type { Action } from '@vic/authz';

/** An id in a path. */
export const ID = Type.String({ pattern: String.raw`^[1-9]\d{0,14}$` });

/** Refuses requests made with a token that allows less than its user may: it must not become more. */
export function requireUnrestricted(request: HttpRequest): void {
  const principal = principalOf(request);
  if (principal.kind !== 'user' || principal.grants === undefined) return;
  throw new VicError({
    class: 'PermissionDenied',
    code: 'ACCESS_TOKEN_TOO_NARROW',
    message: 'An access token with limited permissions cannot be used for this.',
    remedy: 'Sign in with the password.',
  });
}

/** Whether the request is made by that user. */
export function isSelf(request: HttpRequest, userId: number): boolean {
  const principal = principalOf(request);
  return principal.kind === 'user' && principal.id === userId;
}

/** The user may about himself; others need the permission on users. */
export async function requireSelfOr(request: HttpRequest, userId: number, action: Action): Promise<void> {
  if (isSelf(request, userId)) return;
  await requirePermission(request, { resource: 'user', action });
}

/** Refuses all but a system administrator in person: a robot that manages users must not rise above itself. */
export function requireAdministratorInPerson(principal: Principal): void {
  if (principal.kind === 'user' && principal.systemAdministrator && principal.grants === undefined) return;
  throw new VicError({
    class: 'PermissionDenied',
    code: 'ADMINISTRATOR_IN_PERSON',
    message: 'Only a system administrator who has signed in may do this.',
  });
}

/** The path of the request, for `Location` headers. */
export function pathOf(request: HttpRequest): string {
  return (request.originalUrl.split('?')[0] ?? '').replace(/\/$/, '');
}
