import { VicError } from '@vic/errors';
import type { ContentDigest } from '@vic/oci';
import type { ByteRange } from './blob-store.ts';

/** The blob is not in the store. */
export function blobUnknown(digest: ContentDigest): VicError {
  return new VicError({ class: 'NotFound', code: 'BLOB_UNKNOWN', message: `blob ${digest} is not in the blob store` });
}

/** The upload was never begun, was committed or cancelled, or was collected. */
export function uploadUnknown(id: string): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'BLOB_UPLOAD_UNKNOWN',
    message: `upload ${JSON.stringify(id.slice(0, 64))} is not known`,
    remedy: 'Begin a new upload.',
  });
}

/** What arrived is not what its digest says. */
export function digestMismatch(expected: ContentDigest, hex: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'BLOB_DIGEST_MISMATCH',
    message: `The content's digest is ${expected.split(':')[0]}:${hex}, not ${expected}.`,
    remedy: 'Send the content again.',
  });
}

/** What is stored is not what its digest says; not the client's fault. */
export function blobDamaged(digest: ContentDigest): VicError {
  return new VicError({
    class: 'DataLoss',
    code: 'BLOB_DAMAGED',
    message: `blob ${digest} is damaged in the blob store and was put into quarantine`,
    remedy: 'Push the content again.',
  });
}

/** The range reaches outside of the blob. */
export function rangeInvalid(digest: ContentDigest, { start, end }: ByteRange, sizeBytes: number): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'BLOB_RANGE_INVALID',
    message: `bytes ${start}-${end} are not all inside blob ${digest} of ${sizeBytes} bytes`,
  });
}
