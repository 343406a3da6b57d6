import type { ContainerUnit } from './container-unit.ts';
import type { WaitCondition } from './container.ts';

/** What a wait gives. */
export interface WaitResult {
  readonly exitCode: number;
  readonly error?: string;
}

/** Waits as Docker's `wait` does; a container that is removed meanwhile ends every wait. */
export async function waitForContainer(
  unit: ContainerUnit,
  condition: WaitCondition,
  signal: AbortSignal,
): Promise<WaitResult> {
  const exitsBefore = unit.exits;
  let last = resultOf(unit);
  return unit.changes.until(() => {
    if (unit.state.status !== 'removing') last = resultOf(unit);
    return isDone(unit, condition, exitsBefore) ? last : undefined;
  }, signal);
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

function resultOf(unit: ContainerUnit): WaitResult {
  const { state } = unit;
  if (state.status === 'exited') {
    return { exitCode: state.exitCode, ...(state.error === undefined ? {} : { error: state.error }) };
  }
  if (state.status === 'created' && state.startError !== undefined) {
    return { exitCode: state.startError.exitCode, error: state.startError.message };
  }
  return { exitCode: 0 };
}
