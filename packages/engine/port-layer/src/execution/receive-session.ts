import { delay } from '@vic/async';
import type { TetherMessage } from '@vic/agent-protocol';
import type { TetherSession } from '../interaction/index.ts';
import type { ContainerUnit } from './container-unit.ts';
import type { ExecutionContext } from './execution-context.ts';
import { guestExitOf } from './guest-status.ts';
import { KILLED_EXIT_CODE } from './end-container.ts';
import { launchUnasked, verifyRunning } from './reconcile.ts';
import { parseTimeNs } from './time.ts';

/** Takes a container's new session: what the tether says it is doing counts, then each of its messages. */
export function receiveSession(context: ExecutionContext, unit: ContainerUnit, session: TetherSession): void {
  unit.session = session;
  takeStatus(context, unit, session);
  unit.changes.notify();
  context.background.run(`Following the tether of ${unit.id}`, async (signal) => {
    for await (const message of session.events(AbortSignal.any([signal, closedSignal(session)]))) {
      takeMessage(context, unit, session, message);
    }
  });
  context.background.run(`Waiting for the end of a session of ${unit.id}`, async (signal) => {
    await Promise.race([session.closed, aborted(signal)]);
    if (signal.aborted || unit.session !== session) return;
    unit.session = undefined;
    unit.changes.notify();
    await delay(context.configuration.tetherAwayMs, signal);
    if (unit.session === undefined) await verifyRunning(context, unit, signal);
  });
}

function takeStatus(context: ExecutionContext, unit: ContainerUnit, session: TetherSession): void {
  const { status } = session;
  switch (status.state) {
    case 'waiting':
      unit.markEnded({
        exitCode: KILLED_EXIT_CODE,
        oom: false,
        timeNs: context.clock.nowNs(),
        error: 'The container VM was reset.',
      });
      void unit.attachments.connect(session);
      takeBoot(context, unit, status.bootId);
      return;
    case 'running':
      unit.bootId = status.bootId;
      markRunning(context, unit, session);
      void unit.attachments.connect(session);
      return;
    case 'exited':
      markRunning(context, unit, session);
      if (status.exit !== undefined) takeMessage(context, unit, session, { kind: 'exited', ...status.exit });
  }
}

/** A machine that someone else powered on, or reset, gets the launch it waits for. */
function takeBoot(context: ExecutionContext, unit: ContainerUnit, bootId: string): void {
  const isKnown = unit.bootId === bootId;
  const isOurs = unit.bootExpected;
  unit.bootId = bootId;
  unit.bootExpected = false;
  if (!isKnown && !isOurs) launchUnasked(context, unit);
}

function takeMessage(
  context: ExecutionContext,
  unit: ContainerUnit,
  session: TetherSession,
  message: TetherMessage,
): void {
  if (message.kind === 'started') markRunning(context, unit, session);
  if (message.kind === 'log-progress') unit.logChanges.notify();
  if (message.kind !== 'exited') return;
  // The report of the start may still be on its way through another promise.
  if (unit.launchingOn === session) markRunning(context, unit, session);
  const exit = guestExitOf(message);
  const timeNs = exit?.timeNs ?? context.clock.nowNs();
  unit.markEnded({ exitCode: exit?.code ?? KILLED_EXIT_CODE, oom: exit?.oom ?? false, timeNs });
}

function markRunning(context: ExecutionContext, unit: ContainerUnit, session: TetherSession): void {
  const { startedAt, pid } = session.status;
  const startedNs = startedAt === undefined ? undefined : parseTimeNs(startedAt);
  const source = unit.launchingOn === session ? 'answer' : 'news';
  unit.markStarted(startedNs ?? context.clock.nowNs(), pid ?? 0, source);
}

function closedSignal(session: TetherSession): AbortSignal {
  const controller = new AbortController();
  void session.closed.then(() => controller.abort());
  return controller.signal;
}

async function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  if (signal.aborted) resolve();
  await promise;
}
