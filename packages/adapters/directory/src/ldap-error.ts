import { VicError } from '@vic/errors';
import { InsufficientAccessError, NoSuchObjectError, ResultCodeError } from 'ldapts';

/** The error a user understands for a failed conversation with the directory. */
export function ldapError(error: unknown, host: string): VicError {
  if (error instanceof VicError) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (error instanceof NoSuchObjectError) {
    return refused('LDAP_NO_SUCH_ENTRY', `${host} has no entry of that base DN.`, error);
  }
  if (error instanceof InsufficientAccessError) {
    return refused('LDAP_ACCESS_DENIED', `${host} does not let us search: ${text}.`, error);
  }
  if (error instanceof ResultCodeError) return refused('LDAP_REFUSED', `${host} refused: ${text}.`, error);
  return new VicError({
    class: 'Unavailable',
    code: 'LDAP_UNAVAILABLE',
    message: `The LDAP server ${host} cannot be used: ${text}.`,
    remedy: 'Check its address, and whether its certificate is trusted.',
    cause: error,
  });
}

/** The account to search as was refused. */
export function searchAccountRefused(searchDn: string): VicError {
  return new VicError({
    class: 'FailedPrecondition',
    code: 'LDAP_SEARCH_ACCOUNT',
    message: `The LDAP server does not accept the search account ${searchDn} with its password.`,
    remedy: 'Correct ldap_search_dn and ldap_search_password.',
  });
}

function refused(code: string, message: string, cause: unknown): VicError {
  return new VicError({ class: 'FailedPrecondition', code, message, cause });
}
