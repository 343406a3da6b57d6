import type { ContainerUnit } from './container-unit.ts';
import type { WaitCondition } from './container.ts';

/** Waits as Docker's `wait` does; a container that is removed meanwhile ends every wait. */
export async function waitForContainer(
  unit: ContainerUnit,
  condition: WaitCondition,
  signal: AbortSignal,
): Promise<{ readonly exitCode: number; readonly error?: string }> {
  const exitsBefore = unit.exits;
  return unit.changes.until(() => (isDone(unit, condition, exitsBefore) ? unit.lastExit : undefined), signal);
}

function isDone(unit: ContainerUnit, condition: WaitCondition, exitsBefore: number): boolean {
  if (unit.isRemoved) return true;
  switch (condition) {
    case 'not-running':
      return unit.state.status !== 'running';
    case 'next-exit':
      return unit.exits > exitsBefore;
    case 'removed':
      return false;
  }
}
