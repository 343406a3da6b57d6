import { delay } from '@vic/async';
import type { ContainerUnit } from './container-unit.ts';
import { powerOffUnit } from './destroy-machine.ts';
import type { ExecutionContext } from './execution-context.ts';

/** Gives the memory of a created container back if it is not started for a while; its start powers it on again. */
export function armIdlePowerOff(context: ExecutionContext, unit: ContainerUnit): void {
  if (!isIdle(unit)) return;
  const startsBefore = unit.starts;
  context.background.run(`Powering off ${unit.id}, which is not started,`, async (signal) => {
    await delay(context.configuration.idlePowerOffMs, signal);
    await unit.lock.run(async () => {
      if (!isIdle(unit) || unit.starts !== startsBefore) return;
      await powerOffUnit(context.machines, unit, signal);
    });
  });
}

function isIdle(unit: ContainerUnit): boolean {
  const hasNoProcess = unit.state.status === 'created' || unit.state.status === 'exited';
  return hasNoProcess && !unit.starting && unit.machine.powerState === 'poweredOn';
}
