import { VicError } from '@vic/errors';

/** An append at another place than the end of the upload: a `Conflict` that knows the true size. */
export class OffsetConflict extends VicError {
  readonly sizeBytes: number;

  constructor(offset: number, sizeBytes: number) {
    super({
      class: 'Conflict',
      code: 'BLOB_UPLOAD_OFFSET',
      message: `The upload has ${sizeBytes} bytes; bytes at offset ${offset} cannot be added to it.`,
      remedy: `Ask for the upload's status and go on at ${sizeBytes}.`,
    });
    this.sizeBytes = sizeBytes;
  }
}
