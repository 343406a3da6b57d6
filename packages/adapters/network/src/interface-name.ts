import { createHash } from 'node:crypto';
import { VicError } from '@vic/errors';

/** The kernel's limit (IFNAMSIZ) without the terminating zero. */
const MAX_INTERFACE_NAME = 15;

/** Checks a name for an interface or a namespace the way the kernel and our batch format need it. */
export function assertInterfaceName(name: string): void {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name) && name.length <= MAX_INTERFACE_NAME) return;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'NETWORK_NAME_INVALID',
    message: `"${name.slice(0, 64)}" is not a valid interface name: 1 to ${MAX_INTERFACE_NAME} letters, digits, dots, dashes.`,
  });
}

/** A valid interface name that is always the same for the same prefix (at most five characters) and key. */
export function interfaceNameFor(prefix: string, key: string): string {
  const name = `${prefix}${createHash('sha256').update(key).digest('hex').slice(0, 10)}`;
  assertInterfaceName(name);
  return name;
}
