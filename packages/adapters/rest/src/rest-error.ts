import { type VicError, describeError, httpStatusOf } from '@vic/errors';
import type { ErrorResponse } from '@vic/http';

const WIRE_CODES: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  405: 'METHOD_NOT_ALLOWED',
  409: 'CONFLICT',
  412: 'PRECONDITION',
  413: 'REQUEST_ENTITY_TOO_LARGE',
  429: 'TOO_MANY_REQUEST',
  501: 'NOT_SUPPORTED',
  503: 'SERVICE_UNAVAILABLE',
};

/**
 * Harbor's form of an error: `{"errors":[{"code","message"}]}`.
 *
 * `POLICY_…` and `REFERENCE_…` codes keep the names clients know; a defect hides its text behind an id.
 */
export function restErrorResponse(error: VicError): ErrorResponse {
  const status = httpStatusOf(error.class);
  const hidden = error.class === 'Internal' || error.class === 'DataLoss';
  const message = hidden ? 'internal server error' : describeError(error);
  return {
    status,
    headers: { ...(status === 401 ? { 'www-authenticate': 'Basic realm="harbor"' } : {}), ...retryAfter(error) },
    body: { errors: [{ code: wireCode(error, status), message }] },
  };
}

/** Errors that know when it is worth trying again say so. */
function retryAfter(error: VicError): Record<string, string> {
  return 'retryAfterSeconds' in error && typeof error.retryAfterSeconds === 'number'
    ? { 'retry-after': String(error.retryAfterSeconds) }
    : {};
}

function wireCode(error: VicError, status: number): string {
  if (status === 412 && error.code.startsWith('POLICY_')) return 'PROJECTPOLICYVIOLATION';
  if (status === 412 && error.code.startsWith('REFERENCE_')) return 'VIOLATE_FOREIGN_KEY_CONSTRAINT';
  if (status === 403 && error.code.endsWith('_DENIED')) return 'DENIED';
  return WIRE_CODES[status] ?? 'UNKNOWN';
}
