import { VicError, isVicError } from '@vic/errors';
import type { ContainerUnit } from './container-unit.ts';
import { powerOffUnit } from './destroy-machine.ts';
import type { ExecutionContext } from './execution-context.ts';
import { REDIAL_MS, containerNotRunning, endedOf, tetherMissing } from './reach-tether.ts';
import { signalNumber } from './signals.ts';

/** What a stop is asked for. */
export interface StopOptions {
  readonly signal?: string;
  readonly timeoutSeconds?: number;
}

const SIGKILL = 9;
/** Exit code of a process that was killed. */
export const KILLED_EXIT_CODE = 128 + SIGKILL;
/** How long the guest may take to report the end of a killed process. */
const KILL_TIMEOUT_MS = 3000;

/** Stop signal, grace, SIGKILL, power-off. */
export async function stopContainer(
  context: ExecutionContext,
  unit: ContainerUnit,
  options: StopOptions,
  signal: AbortSignal,
): Promise<void> {
  if (unit.state.status !== 'running') {
    throw new VicError({
      class: 'NotModified',
      code: 'CONTAINER_NOT_RUNNING',
      message: `Container ${unit.id} is already stopped.`,
    });
  }
  const number = signalNumber(options.signal ?? (unit.record.config.stopSignal || 'SIGTERM'));
  const graceSeconds = options.timeoutSeconds ?? unit.record.config.stopTimeoutSeconds;
  const graceMs = graceSeconds < 0 ? undefined : graceSeconds * 1000;
  const delivered = await deliver(unit, number, signal);
  if (!delivered || !(await hasEnded(unit, graceMs, signal))) await killNow(context, unit, signal);
  unit.publish({ type: 'container.stopped' });
}

/** Sends one signal; a SIGKILL is waited for, and replaced by a power-off if it has no effect. */
export async function killContainer(
  context: ExecutionContext,
  unit: ContainerUnit,
  signalName: string,
  signal: AbortSignal,
): Promise<void> {
  const number = signalNumber(signalName === '' ? 'SIGKILL' : signalName);
  if (unit.state.status !== 'running') throw containerNotRunning(unit);
  if (number === SIGKILL) await killNow(context, unit, signal);
  else if (!(await deliver(unit, number, signal))) throw tetherMissing(unit);
}

/** Powers the machine off; its process, if it ran, ends as a killed one. */
export async function powerOffContainer(
  context: ExecutionContext,
  unit: ContainerUnit,
  signal: AbortSignal,
): Promise<void> {
  await powerOffUnit(context.machines, unit, signal);
  unit.markEnded({ exitCode: KILLED_EXIT_CODE, oom: false, timeNs: context.clock.nowNs() });
}

async function killNow(context: ExecutionContext, unit: ContainerUnit, signal: AbortSignal): Promise<void> {
  const delivered = await deliver(unit, SIGKILL, signal);
  if (delivered && (await hasEnded(unit, KILL_TIMEOUT_MS, signal))) return;
  await powerOffContainer(context, unit, signal);
}

/** Whether the tether took the signal. Nobody there for longer than a redial means no. */
async function deliver(unit: ContainerUnit, number: number, signal: AbortSignal): Promise<boolean> {
  try {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(REDIAL_MS)]);
    const session = await unit.changes.until(() => unit.session ?? endedOf(unit), patience);
    if (session === 'ended') return true;
    unit.publish({ type: 'container.killed', signal: String(number) });
    await session.signal(number, patience);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (isVicError(error, { class: 'InvalidArgument' })) throw error;
    return unit.state.status !== 'running';
  }
}

/** Waits for the process to end; for ever without a limit. */
async function hasEnded(unit: ContainerUnit, limitMs: number | undefined, signal: AbortSignal): Promise<boolean> {
  const patience = limitMs === undefined ? signal : AbortSignal.any([signal, AbortSignal.timeout(limitMs)]);
  try {
    await unit.changes.until(() => endedOf(unit), patience);
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
