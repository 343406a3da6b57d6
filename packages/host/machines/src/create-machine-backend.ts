import type { MachineBackend } from '@vic/inventory';
import { VicError } from '@vic/errors';
import type { MachineBackendOptions } from './machine-backend-options.ts';

/** Makes the backend that runs machines with QEMU and process VMs as host programs. */
export async function createMachineBackend(_options: MachineBackendOptions): Promise<MachineBackend> {
  throw new VicError({ class: 'NotSupported', code: 'MACHINE_BACKEND_MISSING', message: 'Not there yet.' });
}
