import { VicError } from '@vic/errors';
import type { TetherSession } from '../interaction/index.ts';
import type { ContainerUnit } from './container-unit.ts';

/** How long a tether that lost its connection may take to dial again; QEMU does so every second. */
export const REDIAL_MS = 2500;
/** An endpoint that was just started on a busy host may hear of its tethers this late. */
const REACH_MS = 15_000;

/**
 * The session of a running container, waited for while its tether dials again.
 *
 * `Conflict` when the container does not run, or ends meanwhile; `Unavailable` when nobody dials.
 */
export async function reachTether(unit: ContainerUnit, signal: AbortSignal): Promise<TetherSession> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(REACH_MS)]);
  let found: TetherSession | 'ended';
  try {
    found = await unit.changes.until(() => unit.session ?? endedOf(unit), patience);
  } catch {
    signal.throwIfAborted();
    throw tetherMissing(unit);
  }
  if (found === 'ended') throw containerNotRunning(unit);
  return found;
}

/** `ended` unless the process runs. */
export function endedOf(unit: ContainerUnit): 'ended' | undefined {
  return unit.state.status === 'running' ? undefined : 'ended';
}

/** What is answered to calls that need a running container. */
export function containerNotRunning(unit: ContainerUnit): VicError {
  return new VicError({
    class: 'Conflict',
    code: 'CONTAINER_NOT_RUNNING',
    message: `container ${unit.id} is not running`,
  });
}

/** What is answered when a running container's tether does not dial. */
export function tetherMissing(unit: ContainerUnit): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'CONTAINER_UNREACHABLE',
    message: `The tether of container ${unit.id} is not connected.`,
    remedy: 'Try again in a moment, or stop the container, which powers it off if it has to.',
  });
}
