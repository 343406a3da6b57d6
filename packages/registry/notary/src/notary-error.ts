import { VicError, httpStatusOf, isVicError } from '@vic/errors';
import type { ErrorResponse } from '@vic/http';

/** An update that breaks a rule of TUF; `role` is the metadata file it was found in. */
export function invalidUpdate(role: string, problem: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'NOTARY_INVALID_UPDATE',
    message: `The update is refused: the ${role} metadata ${problem}.`,
    remedy: 'Fetch the current metadata and sign again.',
  });
}

/** Somebody else published first. */
export function oldVersion(role: string, version: number): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'NOTARY_OLD_VERSION',
    message: `A newer version of metadata is already available: ${role} has version ${version}.`,
    remedy: 'Fetch the current metadata and publish again.',
  });
}

/** What was asked for is not there. */
export function metadataNotFound(what: string): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'NOTARY_METADATA_NOT_FOUND',
    message: `You have requested metadata that does not exist: ${what}.`,
  });
}

const WIRE_CODES: Readonly<Record<string, string>> = {
  NOTARY_INVALID_UPDATE: 'INVALID_UPDATE',
  NOTARY_OLD_VERSION: 'VERSION',
  NOTARY_METADATA_NOT_FOUND: 'METADATA_NOT_FOUND',
  NOTARY_INVALID_ROLE: 'INVALID_ROLE',
  NOTARY_MALFORMED: 'MALFORMED_UPLOAD',
};

/** The form of errors that notary clients read. */
export function notaryErrorResponse(error: VicError): ErrorResponse {
  const status = httpStatusOf(error.class);
  const hidden = status === 500;
  const code = WIRE_CODES[error.code] ?? (status === 401 ? 'UNAUTHORIZED' : status === 403 ? 'DENIED' : 'UNKNOWN');
  const detail = isVicError(error, { code: 'NOTARY_INVALID_UPDATE' })
    ? { name: 'ErrValidation', error: error.message }
    : undefined;
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...challengeOf(error) },
    body: JSON.stringify({
      errors: [{ code, message: hidden ? 'internal server error' : error.message, ...(detail && { detail }) }],
    }),
  };
}

/** Refusals of the token service say how to authenticate. */
function challengeOf(error: VicError): Record<string, string> {
  return 'challenge' in error && typeof error.challenge === 'string' ? { 'www-authenticate': error.challenge } : {};
}
