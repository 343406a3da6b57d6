/**
 * The classes an error can have. Each has one mapping to HTTP, and each server maps it once more to
 * its own wire form (SOAP fault, Docker message, OCI code).
 */
export type ErrorClass =
  | 'InvalidArgument'
  | 'Unauthenticated'
  | 'PermissionDenied'
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'NotModified'
  | 'FailedPrecondition'
  | 'PayloadTooLarge'
  | 'RateLimited'
  | 'ResourceExhausted'
  | 'NotSupported'
  | 'Unavailable'
  | 'DeadlineExceeded'
  | 'Cancelled'
  | 'DataLoss'
  | 'Internal';

const HTTP_STATUS = {
  InvalidArgument: 400,
  Unauthenticated: 401,
  PermissionDenied: 403,
  NotFound: 404,
  AlreadyExists: 409,
  Conflict: 409,
  NotModified: 304,
  FailedPrecondition: 412,
  PayloadTooLarge: 413,
  RateLimited: 429,
  ResourceExhausted: 507,
  NotSupported: 501,
  Unavailable: 503,
  DeadlineExceeded: 504,
  Cancelled: 499,
  DataLoss: 500,
  Internal: 500,
} as const satisfies Record<ErrorClass, number>;

/** What a {@link VicError} is made of. */
export interface VicErrorInit {
  /** One of the closed set of classes; decides the status on every wire. */
  readonly class: ErrorClass;
  /** `AREA_REASON`, stable, for programs to match on. */
  readonly code: string;
  /** What happened and why, as a sentence a user can read. */
  readonly message: string;
  /** What to do about it: a command or a setting. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/**
 * The only error our own code throws on purpose.
 *
 * A user error says what happened, why, and (in `remedy`) what to do; anything that is not a
 * `VicError` is a defect and is reported as `Internal`.
 */
export class VicError extends Error {
  readonly class: ErrorClass;
  readonly code: string;
  readonly remedy: string | undefined;

  constructor(init: VicErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = 'VicError';
    this.class = init.class;
    this.code = init.code;
    this.remedy = init.remedy;
  }
}

/** The HTTP status of an error class. */
export function httpStatusOf(errorClass: ErrorClass): number {
  return HTTP_STATUS[errorClass];
}

/** Whether `error` is a {@link VicError}, optionally of one class or with one code. */
export function isVicError(error: unknown, match: { class?: ErrorClass; code?: string } = {}): error is VicError {
  return (
    error instanceof VicError &&
    (match.class === undefined || error.class === match.class) &&
    (match.code === undefined || error.code === match.code)
  );
}

/** The error itself when it is a {@link VicError}; otherwise an `Internal` one that carries it as cause. */
export function toVicError(error: unknown): VicError {
  if (error instanceof VicError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new VicError({ class: 'Internal', code: 'INTERNAL', message, cause: error });
}

/** The sentence to show for anything thrown, with the remedy appended when there is one. */
export function describeError(error: unknown): string {
  const vicError = toVicError(error);
  const { message, remedy } = vicError;
  if (remedy === undefined) return message;
  return /[.!?]$/.test(message) ? `${message} ${remedy}` : `${message}. ${remedy}`;
}
