import { VicError, describeError, httpStatusOf, toVicError } from '@vic/errors';

/** An error as it goes to a Docker client. */
export interface DockerError {
  readonly status: number;
  readonly message: string;
}

/** Status and message of anything thrown. */
export function dockerError(error: unknown): DockerError {
  const vicError = toVicError(error);
  return { status: httpStatusOf(vicError.class), message: describeError(vicError) };
}

/** A refusal of something the request says, 400. */
export function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'DOCKER_REQUEST_INVALID', message });
}

/** Something that is not there, 404. */
export function notFound(message: string, cause?: unknown): VicError {
  return new VicError({ class: 'NotFound', code: 'DOCKER_NOT_FOUND', message, cause });
}

/** Something the present state does not allow, 409. */
export function conflict(message: string, cause?: unknown): VicError {
  return new VicError({ class: 'Conflict', code: 'DOCKER_CONFLICT', message, cause });
}

/** Something VIC does not serve, 501, with what to do instead. */
export function notServed(what: string, instead: string): VicError {
  return new VicError({
    class: 'NotSupported',
    code: 'DOCKER_NOT_SERVED',
    message: `VIC does not serve ${what} yet: ${instead}`,
  });
}
