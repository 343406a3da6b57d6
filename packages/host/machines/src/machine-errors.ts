import { VicError } from '@vic/errors';

/** The machine is not on. */
export function notRunning(id: string): VicError {
  return new VicError({ class: 'Conflict', code: 'MACHINE_NOT_RUNNING', message: `Machine ${id} is not running.` });
}

/** The machine runs and its control connection is not there yet. */
export function notAnswering(id: string): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'MACHINE_NOT_ANSWERING',
    message: `Machine ${id} runs but does not answer at the moment.`,
    remedy: 'Try again; when the host is not busy and it stays like that, power the machine off.',
  });
}

/** The machine is on already. */
export function alreadyOn(id: string): VicError {
  return new VicError({ class: 'Conflict', code: 'MACHINE_ALREADY_ON', message: `Machine ${id} is already on.` });
}

/** A frozen machine can only be cloned or powered off. */
export function isFrozen(id: string): VicError {
  return new VicError({
    class: 'Conflict',
    code: 'MACHINE_FROZEN',
    message: `Machine ${id} is frozen: it can be cloned or powered off, nothing else.`,
  });
}

/** There is no device with that key. */
export function noDevice(id: string, key: number): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'MACHINE_DEVICE_NOT_FOUND',
    message: `Machine ${id} has no device ${key}.`,
  });
}

/** Something this kind of machine does not have. */
export function notSupported(message: string, remedy?: string): VicError {
  return new VicError({
    class: 'NotSupported',
    code: 'MACHINE_NOT_SUPPORTED',
    message,
    ...(remedy === undefined ? {} : { remedy }),
  });
}

/** The frozen source does not fit the clone, or this version of QEMU. */
export function sourceUnusable(sourceId: string, why: string): VicError {
  return new VicError({
    class: 'Conflict',
    code: 'MACHINE_SOURCE_UNUSABLE',
    message: `Machine ${sourceId} cannot be cloned: ${why}.`,
    remedy: 'Create the clone source again.',
  });
}
