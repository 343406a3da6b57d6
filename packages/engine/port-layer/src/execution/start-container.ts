import { withDeadline } from '@vic/async';
import { VicError, describeError, isVicError } from '@vic/errors';
import { StartFailedError } from '../interaction/index.ts';
import type { TetherSession } from '../interaction/index.ts';
import { commitEdit } from './commit.ts';
import type { ContainerUnit } from './container-unit.ts';
import { ensureOn, powerOffUnit } from './destroy-machine.ts';
import type { ExecutionContext } from './execution-context.ts';
import { recordPorts } from './handle.ts';
import { armIdlePowerOff } from './idle-power-off.ts';
import { launchSpecOf } from './launch-spec.ts';
import { removeInBackground } from './remove-container.ts';

/** A cold boot under software emulation on a busy machine. */
const SESSION_TIMEOUT_MS = 120_000;
/** Mounting a long image chain on a cold cache. */
const LAUNCH_TIMEOUT_MS = 60_000;
/** How long a machine whose process has ended may take to go off by itself. */
const WIND_DOWN_MS = 5000;

/** Starts a container: powered on, reachable, launched. Undone on failure. */
export async function startContainer(
  context: ExecutionContext,
  unit: ContainerUnit,
  signal: AbortSignal,
): Promise<void> {
  await unit.lock.run(async () => {
    checkStartable(unit);
    unit.starting = true;
    unit.starts++;
    try {
      await startNow(context, unit, signal);
    } catch (error) {
      // Whatever the reason: a container that removes itself and does not start is in nobody's way afterwards.
      if (unit.record.config.autoRemove && !isVicError(error, { class: 'NotModified' })) {
        removeInBackground(context, unit);
      }
      throw error;
    } finally {
      unit.starting = false;
      armIdlePowerOff(context, unit);
    }
  });
}

function checkStartable(unit: ContainerUnit): void {
  if (unit.state.status === 'running') throw alreadyRunning(unit);
  if (unit.state.status !== 'removing') return;
  throw new VicError({
    class: 'Conflict',
    code: 'CONTAINER_REMOVING',
    message: 'container is marked for removal and cannot be started',
  });
}

async function startNow(context: ExecutionContext, unit: ContainerUnit, signal: AbortSignal): Promise<void> {
  await using undo = new AsyncDisposableStack();
  undo.defer(async () => {
    unit.publishedPorts = [];
    await context.networks.disconnect(unit.id);
  });
  const waiting = waitForTether(context, unit, signal);
  // Both are under way at once; when the ports are refused nobody waits for the tether any more.
  waiting.catch(() => undefined);
  unit.publishedPorts = await context.networks.connect(unit.id, unit.record.config.ports);
  const session = await waiting;
  if (unit.record.endpoint !== undefined) unit.publish({ type: 'network.connected' });
  await Promise.all([rememberPorts(context, unit), launch(context, unit, session)]);
  undo.move();
}

/** Ports the VCH chose are written down: a restarted endpoint has to publish the same. */
async function rememberPorts(context: ExecutionContext, unit: ContainerUnit): Promise<void> {
  if (!unit.record.config.ports.some((port) => port.hostPort === 0)) return;
  const { publishedPorts } = unit;
  await commitEdit(context, unit, (handle) => recordPorts(handle, publishedPorts), context.background.signal);
}

async function launch(context: ExecutionContext, unit: ContainerUnit, session: TetherSession): Promise<void> {
  const exitsBefore = unit.exits;
  const { record, consoleSize } = unit;
  const spec = launchSpecOf(record.config, record.endpoint, nameServersOf(unit), {
    timeNs: context.clock.nowNs(),
    consoleSize,
  });
  try {
    await unit.attachments.connect(session);
    unit.launchingOn = session;
    const started = await withDeadline(
      'the process to start',
      LAUNCH_TIMEOUT_MS,
      async (deadline) => session.launch(spec, deadline),
      context.background.signal,
    );
    if (unit.exits === exitsBefore) {
      await applyNewSize(unit, session, consoleSize);
      unit.markStarted(started.time, started.pid, 'answer');
    }
  } catch (error) {
    // A process that ended at once has been started all the same.
    if (unit.exits !== exitsBefore) return;
    const { question } = unit.machine;
    // A guest that refuses the program does not stand still: the question is about to be taken back.
    const failure = question === undefined || error instanceof StartFailedError ? error : machineWaits(question, error);
    await launchFailed(context, unit, failure);
    throw failure;
  } finally {
    unit.launchingOn = undefined;
  }
}

/** Clients may tell the size of their terminal while the process is being started. */
async function applyNewSize(
  unit: ContainerUnit,
  session: TetherSession,
  launchedAt: ContainerUnit['consoleSize'],
): Promise<void> {
  const { consoleSize } = unit;
  if (consoleSize === undefined || consoleSize === launchedAt) return;
  // A process that has ended already needs no size; its end is reported by itself.
  await session.resize({ rows: consoleSize.rows, cols: consoleSize.columns }).catch(() => undefined);
}

async function launchFailed(context: ExecutionContext, unit: ContainerUnit, error: unknown): Promise<void> {
  if (error instanceof StartFailedError) {
    unit.markStartFailed({ exitCode: error.exitCode, message: error.message });
  }
  // What the guest did so far cannot be done twice: the next start begins with a fresh boot.
  await powerOffUnit(context.machines, unit, context.background.signal);
}

/** The session of a tether that waits for its launch, with the machine powered on if need be. */
async function waitForTether(
  context: ExecutionContext,
  unit: ContainerUnit,
  signal: AbortSignal,
): Promise<TetherSession> {
  const until = async (deadline: AbortSignal): Promise<TetherSession> => {
    for (;;) {
      if (unit.state.status === 'running') throw alreadyRunning(unit);
      const { session } = unit;
      if (session?.status.state === 'waiting') return session;
      if (unit.machine.powerState !== 'poweredOn') await powerOn(context, unit, deadline);
      else if (session?.status.state === 'exited') await windDown(context, unit, session, deadline);
      else await unit.changes.next(deadline);
    }
  };
  return withDeadline('the container VM to boot', SESSION_TIMEOUT_MS, until, signal);
}

async function powerOn(context: ExecutionContext, unit: ContainerUnit, signal: AbortSignal): Promise<void> {
  // Before the call: the tether may be faster than its answer.
  unit.bootExpected = true;
  if (!(await ensureOn(context.machines, unit.machine.ref, signal))) unit.bootExpected = false;
  unit.machine = { ...unit.machine, powerState: 'poweredOn' };
}

/** Waits for a machine that ran to its end to go off; pulls the plug when it does not. */
async function windDown(
  context: ExecutionContext,
  unit: ContainerUnit,
  session: TetherSession,
  signal: AbortSignal,
): Promise<void> {
  const isOver = (): true | undefined =>
    unit.machine.powerState !== 'poweredOn' || unit.session !== session || undefined;
  try {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(WIND_DOWN_MS)]);
    await unit.changes.until(isOver, patience);
  } catch (error) {
    signal.throwIfAborted();
    context.logger.warn(`${unit.id} does not go off by itself: ${describeError(error)}`);
    await powerOffUnit(context.machines, unit, signal);
  }
}

function nameServersOf(unit: ContainerUnit): readonly string[] {
  const { config, endpoint } = unit.record;
  if (config.dns.servers.length > 0) return config.dns.servers;
  return endpoint === undefined ? [] : [endpoint.gateway];
}

/** Asked before the machine is powered off, and the question with it. */
function machineWaits(question: string, cause: unknown): VicError {
  return new VicError({
    class: 'ResourceExhausted',
    code: 'CONTAINER_VM_WAITS',
    message: `The container could not be started, because its VM stands still: ${question}`,
    remedy: 'Let the administrator of the infrastructure see to it, then start the container again.',
    cause,
  });
}

function alreadyRunning(unit: ContainerUnit): VicError {
  return new VicError({
    class: 'NotModified',
    code: 'CONTAINER_RUNNING',
    message: `Container ${unit.id} is already running.`,
  });
}
