import { isVicError } from '@vic/errors';
import type { ContainerUnit } from './container-unit.ts';
import { MACHINE_POWER_STATE } from './machine.ts';
import type { MachineInfrastructure } from './machine.ts';

/** Powers a machine off; one that is off, or gone, is left alone. */
async function ensureOff(machines: MachineInfrastructure, ref: string, signal: AbortSignal): Promise<void> {
  try {
    await machines.powerOff(ref, signal);
  } catch (error) {
    if (!isVicError(error, { code: MACHINE_POWER_STATE }) && !isVicError(error, { class: 'NotFound' })) throw error;
  }
}

/** Powers a container's machine off, and remembers that. */
export async function powerOffUnit(
  machines: MachineInfrastructure,
  unit: ContainerUnit,
  signal: AbortSignal,
): Promise<void> {
  unit.bootExpected = false;
  await ensureOff(machines, unit.machine.ref, signal);
  unit.machine = { ...unit.machine, powerState: 'poweredOff' };
}

/** Powers a machine on and says whether it had to; one that is on is left alone. */
export async function ensureOn(machines: MachineInfrastructure, ref: string, signal: AbortSignal): Promise<boolean> {
  try {
    await machines.powerOn(ref, signal);
    return true;
  } catch (error) {
    if (!isVicError(error, { code: MACHINE_POWER_STATE })) throw error;
    return false;
  }
}

/** Removes a machine whatever its power state; one that is gone is left alone. */
export async function destroyMachine(machines: MachineInfrastructure, ref: string, signal: AbortSignal): Promise<void> {
  await ensureOff(machines, ref, signal);
  try {
    await machines.destroy(ref, signal);
  } catch (error) {
    if (!isVicError(error, { class: 'NotFound' })) throw error;
  }
}
