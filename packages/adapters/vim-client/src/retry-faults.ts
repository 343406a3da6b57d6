import { retry } from '@vic/async';
import { isFault, type DataTypeName } from '@vic/vim';

/** Faults that say "not now": somebody else is at work on the object, or the host did not answer. */
const TRANSIENT: readonly DataTypeName[] = [
  'TaskInProgress',
  'ConcurrentAccess',
  'HostCommunication',
  'NetworkDisruptedAndConfigRolledBack',
  'FailToLockFaultToleranceVMs',
];

/** Whether an error is a fault that another try may get past. */
export function isTransientFault(error: unknown): boolean {
  return TRANSIENT.some((type) => isFault(error, type));
}

/**
 * Runs an operation again while it fails with a transient fault.
 *
 * After `ConcurrentAccess` the same request fails again: the operation must read the object's change version anew
 * each time.
 */
export async function retryTransientFaults<T>(
  operation: (attempt: number) => Promise<T>,
  options: { readonly attempts?: number; readonly signal?: AbortSignal } = {},
): Promise<T> {
  return retry(operation, {
    retryIf: isTransientFault,
    attempts: options.attempts ?? 10,
    initialDelayMs: 100,
    maxDelayMs: 5000,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}
