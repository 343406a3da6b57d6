import { VicError } from '@vic/errors';

/** The error for QEMU's refusal of a command. */
export function qmpError(command: string, error: unknown): VicError {
  const text =
    typeof error === 'object' && error !== null && 'desc' in error && typeof error.desc === 'string'
      ? error.desc.slice(0, 1000)
      : 'no reason given';
  const denied = /Permission denied/.test(text);
  return new VicError({
    class: denied ? 'PermissionDenied' : 'Internal',
    code: denied ? 'QMP_PERMISSION_DENIED' : 'QMP_REFUSED',
    message: `QEMU refused ${command}: ${text}`,
    ...(denied
      ? { remedy: 'Let other users pass through every folder above the file (chmod o+x); machines do not run as root.' }
      : {}),
  });
}
