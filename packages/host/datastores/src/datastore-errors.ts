import { VicError, isVicError } from '@vic/errors';

function fileNotFound(path: string, cause?: unknown): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'DATASTORE_FILE_NOT_FOUND',
    message: `File ${path} was not found.`,
    cause,
  });
}

/** A file or folder that is in the way. */
export function fileExists(path: string, cause?: unknown): VicError {
  return new VicError({
    class: 'AlreadyExists',
    code: 'DATASTORE_FILE_EXISTS',
    message: `${path} exists already.`,
    cause,
  });
}

/** Something that cannot be done with this file. */
export function refused(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'DATASTORE_REFUSED', message });
}

/** A disk others depend on. */
export function diskInUse(path: string, child: string): VicError {
  return new VicError({
    class: 'Conflict',
    code: 'DATASTORE_DISK_IN_USE',
    message: `${path} is in use: ${child} is a child of it.`,
    remedy: 'Remove the child first.',
  });
}

/** A file that is not a virtual disk of ours, or one made to reach what it must not. */
export function notADisk(path: string, reason: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'DATASTORE_NOT_A_DISK',
    message: `${path} is not a virtual disk this host accepts: ${reason}.`,
  });
}

/** Turns an error of the file system into one with a class; `path` is the datastore path to speak of. */
export function fromFileSystem(error: unknown, path: string): unknown {
  if (isVicError(error) || !(error instanceof Error) || !('code' in error)) return error;
  switch (error.code) {
    case 'ENOENT':
      return fileNotFound(path, error);
    case 'EEXIST':
    case 'ENOTEMPTY':
      return fileExists(path, error);
    case 'ENOTDIR':
      return new VicError({
        class: 'InvalidArgument',
        code: 'DATASTORE_NOT_A_FOLDER',
        message: `${path} goes through something that is not a folder.`,
        cause: error,
      });
    case 'EISDIR':
      return new VicError({
        class: 'InvalidArgument',
        code: 'DATASTORE_IS_A_FOLDER',
        message: `${path} is a folder.`,
        cause: error,
      });
    case 'ELOOP':
      return refused(`${path} goes through a symbolic link, which datastores do not follow.`);
    case 'ENOSPC':
    case 'EDQUOT':
      return new VicError({
        class: 'ResourceExhausted',
        code: 'DATASTORE_FULL',
        message: `There is no space left on the datastore for ${path}.`,
        remedy: 'Remove files that are no longer needed, or enlarge the datastore.',
        cause: error,
      });
    default:
      return error;
  }
}
