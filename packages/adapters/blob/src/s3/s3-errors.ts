import { S3ServiceException } from '@aws-sdk/client-s3';
import { VicError } from '@vic/errors';

const FULL = new Set(['QuotaExceeded', 'XMinioStorageFull', 'InsufficientCapacity', 'XMinioAdminBucketQuotaExceeded']);

/** Whether the object, the bucket or the upload that was asked for is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === 404 && error.name !== 'NoSuchBucket';
}

/** Whether a condition of the request (`If-Match`, the tag of a part) did not hold: somebody else was there. */
export function isChanged(error: unknown): boolean {
  return (
    error instanceof S3ServiceException &&
    (error.$metadata.httpStatusCode === 412 || error.name === 'InvalidPart' || error.name === 'NoSuchUpload')
  );
}

/** What a failure of the object store means; anything that already is an error of ours is given back. */
export function s3Error(error: unknown, bucket: string): unknown {
  if (error instanceof VicError || !(error instanceof Error) || error.name === 'AbortError') return error;
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  if (FULL.has(error.name) || status === 507) {
    return new VicError({
      class: 'ResourceExhausted',
      code: 'BLOB_STORE_FULL',
      message: `The bucket ${bucket} takes no more: ${error.message}.`,
      remedy: 'Raise its quota, enlarge the object store, or run the garbage collection.',
      cause: error,
    });
  }
  return new VicError({
    class: 'Unavailable',
    code: 'BLOB_STORE_UNAVAILABLE',
    message: `The object store of bucket ${bucket} refused (${error.name}${status === undefined ? '' : `, ${status}`}).`,
    remedy: 'Look at its address, its credentials and what they allow.',
    cause: error,
  });
}
