import { type VicError, toVicError } from '@vic/errors';
import { type ManagedObjectReference, VimFault, make } from '@vic/vim';

/** The receiver or an argument names an object that does not exist (any more). */
export function managedObjectNotFound(obj: ManagedObjectReference): VimFault {
  return new VimFault({
    fault: make('ManagedObjectNotFound', { obj }),
    message: `The object '${obj.type}:${obj.value.slice(0, 100)}' has already been deleted or has not been completely created.`,
  });
}

/** An argument is not acceptable. */
export function invalidArgument(invalidProperty: string, message: string): VimFault {
  return new VimFault({ fault: make('InvalidArgument', { invalidProperty }), message });
}

/** The host does not offer this. */
export function notSupported(message: string): VimFault {
  return new VimFault({ fault: make('NotSupported', {}), message });
}

/** The entity is busy or in a state that does not allow the operation. */
export function invalidState(message: string): VimFault {
  return new VimFault({ fault: make('InvalidState', {}), message });
}

/** A name is taken. */
export function duplicateName(name: string, object: ManagedObjectReference): VimFault {
  return new VimFault({
    fault: make('DuplicateName', { name, object }),
    message: `The name '${name}' already exists.`,
  });
}

/** A name is empty, too long or has characters that names cannot have. */
function invalidName(name: string): VimFault {
  return new VimFault({
    fault: make('InvalidName', { name: name.slice(0, 100) }),
    message: `'${name.slice(0, 100)}' is not a valid name.`,
    remedy: 'Use 1 to 80 characters without / \\ %, [ ] and control characters.',
  });
}

/** The named thing does not exist. */
export function notFound(message: string): VimFault {
  return new VimFault({ fault: make('NotFound', {}), message });
}

/** The limits of a resource pool or the host leave no room. */
export function insufficientMemory(message: string, unreserved: number, requested: number): VimFault {
  return new VimFault({ fault: make('InsufficientMemoryResourcesFault', { unreserved, requested }), message });
}

/** A device of a specification cannot be made. */
export function invalidDeviceSpec(deviceIndex: number, property: string, message: string): VimFault {
  return new VimFault({ fault: make('InvalidDeviceSpec', { deviceIndex, property }), message });
}

/** Names in the inventory and on datastores: what neither paths nor file systems can carry is refused. */
export function requireName(name: string): string {
  if (name.length === 0 || name.length > 80 || /[/\\%[\]\p{Cc}]/u.test(name) || name === '.' || name === '..') {
    throw invalidName(name);
  }
  return name;
}

/** The fault for an error of a datastore operation on `file`. */
export function fileFault(error: unknown, file: string): VimFault {
  if (error instanceof VimFault) return error;
  const vicError = toVicError(error);
  const init = {
    message: vicError.message,
    cause: vicError,
    ...(vicError.remedy === undefined ? {} : { remedy: vicError.remedy }),
  };
  switch (vicError.class) {
    case 'NotFound':
      return new VimFault({ ...init, fault: make('FileNotFound', { file }) });
    case 'AlreadyExists':
      return new VimFault({ ...init, fault: make('FileAlreadyExists', { file }) });
    case 'Conflict':
      return new VimFault({ ...init, fault: make('FileLocked', { file }) });
    case 'InvalidArgument':
      return new VimFault({ ...init, fault: make('InvalidDatastorePath', { datastorePath: file }) });
    case 'ResourceExhausted':
      return new VimFault({
        ...init,
        fault: make('NoDiskSpace', { file, datastore: /^\[([^\]]*)\]/.exec(file)?.[1] ?? '' }),
      });
    default:
      return generalFault(vicError);
  }
}

/** The fault for any other error. */
export function generalFault(error: unknown): VimFault {
  if (error instanceof VimFault) return error;
  const vicError: VicError = toVicError(error);
  const init = {
    message: vicError.message,
    cause: vicError,
    ...(vicError.remedy === undefined ? {} : { remedy: vicError.remedy }),
  };
  switch (vicError.class) {
    case 'NotSupported':
      return new VimFault({ ...init, fault: make('NotSupported', {}) });
    case 'NotFound':
      return new VimFault({ ...init, fault: make('NotFound', {}) });
    case 'InvalidArgument':
      return new VimFault({ ...init, fault: make('InvalidArgument', {}) });
    case 'ResourceExhausted':
      return new VimFault({ ...init, fault: make('InsufficientResourcesFault', {}) });
    case 'Conflict':
      return new VimFault({ ...init, fault: make('ResourceInUse', {}) });
    case 'AlreadyExists':
      return new VimFault({ ...init, fault: make('AlreadyExists', {}) });
    case 'FailedPrecondition':
    case 'PayloadTooLarge':
    case 'RateLimited':
    case 'Cancelled':
      return new VimFault({ ...init, fault: make('RequestCanceled', {}) });
    case 'PermissionDenied':
    case 'Unauthenticated':
    case 'Unavailable':
    case 'DeadlineExceeded':
    case 'DataLoss':
    case 'Internal':
    case 'NotModified':
      return new VimFault({ ...init, fault: make('SystemError', { reason: vicError.message }) });
  }
}
