import { delay } from '@vic/async';
import type { ContainerUnit } from './container-unit.ts';
import { commitEdit } from './commit.ts';
import { KILLED_EXIT_CODE } from './end-container.ts';
import type { ExecutionContext } from './execution-context.ts';
import { readGuestStatus } from './guest-status.ts';
import { recordExit } from './handle.ts';
import type { Machine } from './machine.ts';
import { unreportedEnd } from './unreported-end.ts';
import { forgetContainer } from './remove-container.ts';
import { startContainer } from './start-container.ts';
import { parseTimeNs } from './time.ts';

/** Brings a container forward to what the infrastructure says about its machine. */
export function reconcile(context: ExecutionContext, unit: ContainerUnit, machine: Machine): void {
  unit.machine = machine;
  takeGuestStatus(unit);
  if (machine.powerState !== 'poweredOn' && unit.state.status === 'running') {
    context.background.run(`Looking after ${unit.id}, whose VM is off,`, async (signal) => {
      await delay(context.configuration.lastWordsMs, signal);
      await verifyRunning(context, unit, signal);
    });
  }
  unit.changes.notify();
}

/** A machine is gone: what ran in it has ended, and the container with it. */
export function reconcileGone(context: ExecutionContext, unit: ContainerUnit): void {
  if (unit.state.status === 'removing') return;
  unit.markEnded({
    exitCode: KILLED_EXIT_CODE,
    oom: false,
    timeNs: context.clock.nowNs(),
    error: 'The container VM was removed at the infrastructure.',
  });
  context.background.run(`Forgetting ${unit.id}`, async () =>
    unit.lock.run(async () => forgetContainer(context, unit)),
  );
}

/** Asks the infrastructure whether a container that should run still does, and ends it if not. */
export async function verifyRunning(
  context: ExecutionContext,
  unit: ContainerUnit,
  signal: AbortSignal,
): Promise<void> {
  if (unit.state.status !== 'running') return;
  const machine = await context.machines.read(unit.machine.ref, signal);
  // Gone for good: the watch reports that.
  if (machine === undefined) return;
  unit.machine = machine;
  takeGuestStatus(unit);
  if (machine.powerState === 'poweredOn' || unit.state.status !== 'running') return;
  const { error = unreportedEnd(machine, 'at the infrastructure') } = readGuestStatus(machine.extraConfig);
  const end = { exitCode: KILLED_EXIT_CODE, oom: false, timeNs: context.clock.nowNs(), error };
  if (unit.markEnded(end)) await writeDownEnd(context, unit, signal);
}

/** Gives a machine that someone else powered on the launch it waits for. */
export function launchUnasked(context: ExecutionContext, unit: ContainerUnit): void {
  if (unit.starting) return;
  context.background.run(`Launching ${unit.id}, which was powered on,`, async (signal) => {
    if (unit.state.status === 'created' || unit.state.status === 'exited') await startContainer(context, unit, signal);
  });
}

/** Keeps an end that the guest did not report, so that it is the same after a restart of the endpoint. */
export async function writeDownEnd(context: ExecutionContext, unit: ContainerUnit, signal: AbortSignal): Promise<void> {
  const { state } = unit;
  if (state.status !== 'exited' || unit.record.config.autoRemove) return;
  const { startedAt, finishedAt, exitCode, error } = state;
  const exit = { startedAt, finishedAt, exitCode, ...(error === undefined ? {} : { error }) };
  await commitEdit(context, unit, (handle) => recordExit(handle, exit), signal);
}

function takeGuestStatus(unit: ContainerUnit): void {
  const { startedNs, exit } = readGuestStatus(unit.machine.extraConfig);
  if (startedNs === undefined) return;
  unit.markStarted(startedNs, 0, 'news');
  const { state } = unit;
  if (exit === undefined || state.status !== 'running' || exit.timeNs < startedNs) return;
  // The key keeps the end of the run before until this one ends.
  if (exit.timeNs < (parseTimeNs(state.startedAt) ?? 0n)) return;
  unit.markEnded({ exitCode: exit.code, oom: exit.oom, timeNs: exit.timeNs });
}
