import { VicError, type ErrorClass } from '@vic/errors';
import { isA } from './data-object.ts';
import type { DataTypeName, DataTypes, LocalizedMethodFault, MethodFault } from './generated/index.ts';
import { isDataSubtype } from './metadata.ts';

/** Which class an error has, by fault type; the first that the fault is or derives from counts. */
const CLASSES: readonly (readonly [DataTypeName, ErrorClass])[] = [
  ['NotAuthenticated', 'Unauthenticated'],
  ['InvalidLogin', 'Unauthenticated'],
  ['NoPermission', 'PermissionDenied'],
  ['RestrictedVersion', 'PermissionDenied'],
  ['ManagedObjectNotFound', 'NotFound'],
  ['FileNotFound', 'NotFound'],
  ['NotFound', 'NotFound'],
  ['DuplicateName', 'AlreadyExists'],
  ['FileAlreadyExists', 'AlreadyExists'],
  ['AlreadyExists', 'AlreadyExists'],
  ['ConcurrentAccess', 'Conflict'],
  ['TaskInProgress', 'Conflict'],
  ['FileLocked', 'Conflict'],
  ['DirectoryNotEmpty', 'Conflict'],
  ['ResourceInUse', 'Conflict'],
  ['InvalidState', 'Conflict'],
  ['InvalidCollectorVersion', 'Conflict'],
  ['InsufficientResourcesFault', 'ResourceExhausted'],
  ['NoDiskSpace', 'ResourceExhausted'],
  ['LimitExceeded', 'ResourceExhausted'],
  ['MethodDisabled', 'PermissionDenied'],
  ['FileNotWritable', 'PermissionDenied'],
  ['GuestPermissionDenied', 'PermissionDenied'],
  ['InvalidGuestLogin', 'PermissionDenied'],
  ['DeviceNotSupported', 'NotSupported'],
  ['NotSupported', 'NotSupported'],
  ['NotImplemented', 'NotSupported'],
  ['MethodNotFound', 'NotSupported'],
  ['HostCommunication', 'Unavailable'],
  ['HostConnectFault', 'Unavailable'],
  ['NetworkDisruptedAndConfigRolledBack', 'Unavailable'],
  ['ToolsUnavailable', 'Unavailable'],
  ['GuestOperationsUnavailable', 'Unavailable'],
  ['Timedout', 'DeadlineExceeded'],
  ['RequestCanceled', 'Cancelled'],
  ['InvalidRequest', 'InvalidArgument'],
  ['InvalidArgument', 'InvalidArgument'],
  ['InvalidProperty', 'InvalidArgument'],
  ['InvalidName', 'InvalidArgument'],
  ['OutOfBounds', 'InvalidArgument'],
  ['InvalidFolder', 'InvalidArgument'],
  ['InvalidFormat', 'InvalidArgument'],
  ['InvalidLocale', 'InvalidArgument'],
  ['FileNameTooLong', 'InvalidArgument'],
  ['InvalidDatastore', 'InvalidArgument'],
  ['InvalidDatastorePath', 'InvalidArgument'],
  ['InvalidVmConfig', 'InvalidArgument'],
  ['UnexpectedFault', 'Internal'],
];

/** What a {@link VimFault} is made of. */
export interface VimFaultInit {
  readonly fault: MethodFault;
  /** A sentence for the user; never to be matched on. */
  readonly message: string;
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** A vSphere fault as an error: thrown by the client for what a server answers, and by a server to answer with. */
export class VimFault extends VicError {
  /** The fault object, with its `$type`. */
  readonly fault: MethodFault;

  constructor(init: VimFaultInit) {
    const type = init.fault.$type ?? 'MethodFault';
    super({ ...init, class: classOf(type), code: `VIM_${screamingSnake(type)}` });
    this.name = 'VimFault';
    this.fault = init.fault;
  }

  /** The fault's type name, such as `InvalidPowerState`. */
  get faultType(): string {
    return this.fault.$type ?? 'MethodFault';
  }

  /** The form in which faults travel inside data objects. */
  toLocalized(): LocalizedMethodFault {
    return { $type: 'LocalizedMethodFault', fault: this.fault, localizedMessage: this.message };
  }

  /** The error for a fault found inside a data object, such as `TaskInfo.error`. */
  static fromLocalized(localized: LocalizedMethodFault, what?: string): VimFault {
    const said = localized.localizedMessage;
    const text =
      said === undefined || said === '' ? `The server answered ${localized.fault.$type ?? 'a fault'}.` : said;
    return new VimFault({ fault: localized.fault, message: what === undefined ? text : `${what}: ${text}` });
  }
}

/** Whether an error is a fault of this type or of one derived from it. */
export function isFault<N extends DataTypeName>(
  error: unknown,
  type: N,
): error is VimFault & { readonly fault: DataTypes[N] } {
  return error instanceof VimFault && isA(error.fault, type);
}

function classOf(type: string): ErrorClass {
  return CLASSES.find(([fault]) => isDataSubtype(type, fault))?.[1] ?? 'Internal';
}

function screamingSnake(name: string): string {
  return name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '_').toUpperCase();
}
