import { VicError } from '@vic/errors';

/** The error for an archive that is damaged, hostile, or holds what we do not support. */
export function tarError(code: string, message: string, cause?: unknown): VicError {
  const errorClass = code === 'TAR_UNSUPPORTED' ? 'NotSupported' : 'InvalidArgument';
  return new VicError({ class: errorClass, code, message, ...(cause === undefined ? {} : { cause }) });
}
