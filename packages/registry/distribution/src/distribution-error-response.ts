import { OffsetConflict } from '@vic/blob';
import { type VicError, describeError, httpStatusOf } from '@vic/errors';
import type { ErrorResponse } from '@vic/http';
import { MissingContent } from '@vic/repositories';
import { AccessChallenge } from './distribution-access.ts';

/** Status and code of the errors whose class alone does not tell them. */
const BY_CODE: Readonly<Record<string, readonly [status: number, code: string]>> = {
  BLOB_CONDEMNED: [404, 'BLOB_UNKNOWN'],
  BLOB_DAMAGED: [404, 'BLOB_UNKNOWN'],
  BLOB_DIGEST_INVALID: [400, 'DIGEST_INVALID'],
  BLOB_DIGEST_MISMATCH: [400, 'DIGEST_INVALID'],
  BLOB_RANGE_INVALID: [416, 'BLOB_UPLOAD_INVALID'],
  BLOB_UNKNOWN: [404, 'BLOB_UNKNOWN'],
  BLOB_UPLOAD_OFFSET: [416, 'BLOB_UPLOAD_INVALID'],
  BLOB_UPLOAD_UNKNOWN: [404, 'BLOB_UPLOAD_UNKNOWN'],
  DISTRIBUTION_DIGEST_INVALID: [400, 'DIGEST_INVALID'],
  DISTRIBUTION_MANIFEST_INVALID: [400, 'MANIFEST_INVALID'],
  DISTRIBUTION_MANIFEST_UNKNOWN: [404, 'MANIFEST_UNKNOWN'],
  DISTRIBUTION_METHOD_UNSUPPORTED: [405, 'UNSUPPORTED'],
  DISTRIBUTION_NAME_INVALID: [400, 'NAME_INVALID'],
  DISTRIBUTION_NAME_UNKNOWN: [404, 'NAME_UNKNOWN'],
  DISTRIBUTION_PAGE_INVALID: [400, 'PAGINATION_NUMBER_INVALID'],
  DISTRIBUTION_SIZE_INVALID: [400, 'SIZE_INVALID'],
  DISTRIBUTION_TAGS_TOO_MANY: [414, 'MANIFEST_INVALID'],
  DISTRIBUTION_UPLOAD_INVALID: [400, 'BLOB_UPLOAD_INVALID'],
  ARTIFACT_UNKNOWN: [404, 'MANIFEST_UNKNOWN'],
  MANIFEST_BLOB_UNKNOWN: [400, 'MANIFEST_BLOB_UNKNOWN'],
  MANIFEST_DIGEST_MISMATCH: [400, 'DIGEST_INVALID'],
  OCI_DIGEST_INVALID: [400, 'MANIFEST_INVALID'],
  OCI_MALFORMED: [400, 'MANIFEST_INVALID'],
  OCI_SCHEMA1: [400, 'MANIFEST_INVALID'],
  REFERENCE_BLOB: [405, 'UNSUPPORTED'],
  PROJECT_UNKNOWN: [404, 'NAME_UNKNOWN'],
  REPOSITORY_UNKNOWN: [404, 'NAME_UNKNOWN'],
  TAG_NAME_INVALID: [400, 'TAG_INVALID'],
  TAG_UNKNOWN: [404, 'MANIFEST_UNKNOWN'],
};

const BY_STATUS: Readonly<Record<number, string>> = {
  400: 'BAD_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'DENIED',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  412: 'PRECONDITION',
  413: 'SIZE_INVALID',
  429: 'TOOMANYREQUESTS',
  501: 'UNSUPPORTED',
  503: 'UNAVAILABLE',
  504: 'UNAVAILABLE',
  507: 'UNAVAILABLE',
};

/** The header that tells clients that this is a registry; on every answer, refusals included. */
export const API_VERSION_HEADER = { 'docker-distribution-api-version': 'registry/2.0' } as const;

/** An error in the form of the distribution specification. */
export function distributionErrorResponse(error: VicError): ErrorResponse {
  const [status, code] = BY_CODE[error.code] ?? byClass(error);
  const hidden = status >= 500 && (error.class === 'Internal' || error.class === 'DataLoss');
  const message = hidden ? 'internal server error' : describeError(error);
  return {
    status,
    headers: { ...API_VERSION_HEADER, ...headersOf(error, status) },
    body: { errors: entriesOf(error, code, message) },
  };
}

function byClass(error: VicError): readonly [number, string] {
  const status = httpStatusOf(error.class);
  if (status === 412 && error.code.startsWith('POLICY_')) return [412, 'PROJECTPOLICYVIOLATION'];
  if (status === 412 && error.code.startsWith('REFERENCE_')) return [412, 'VIOLATE_FOREIGN_KEY_CONSTRAINT'];
  return [status, BY_STATUS[status] ?? 'UNKNOWN'];
}

function headersOf(error: VicError, status: number): Record<string, string> {
  if (error instanceof AccessChallenge) return { 'www-authenticate': error.challenge };
  if (error instanceof OffsetConflict) return { range: uploadRange(error.sizeBytes) };
  if (status === 503 && !('retryAfterSeconds' in error)) return { 'retry-after': '1' };
  if ('retryAfterSeconds' in error && typeof error.retryAfterSeconds === 'number') {
    return { 'retry-after': String(Math.ceil(error.retryAfterSeconds)) };
  }
  return {};
}

function entriesOf(error: VicError, code: string, message: string): readonly object[] {
  if (!(error instanceof MissingContent)) return [{ code, message }];
  return error.digests.map((digest) => ({
    code,
    message: 'manifest references a manifest or blob unknown to registry',
    detail: { digest },
  }));
}

/** The bytes of an upload that have arrived, as `Range` says it; it cannot say that there are none. */
export function uploadRange(sizeBytes: number): string {
  return `0-${Math.max(0, sizeBytes - 1)}`;
}
