import { VicError } from '@vic/errors';
import type { ContainerUnit } from './container-unit.ts';
import { destroyMachine } from './destroy-machine.ts';
import { powerOffContainer } from './end-container.ts';
import type { ExecutionContext } from './execution-context.ts';

/** How long the last of the output may take to its readers. */
const DELIVERY_MS = 60_000;

/** Removes a container with its machine, disk and log. */
export async function removeContainer(
  context: ExecutionContext,
  unit: ContainerUnit,
  options: { readonly force: boolean },
  signal: AbortSignal,
): Promise<void> {
  if (unit.state.status === 'removing') throw alreadyRemoving(unit);
  if (unit.state.status === 'running' && !options.force) throw stillRunning(unit);
  await unit.lock.run(async () => {
    if (context.registry.byId(unit.id) !== unit) return;
    if (unit.state.status === 'running') {
      if (!options.force) throw stillRunning(unit);
      unit.publish({ type: 'container.killed', signal: '9' });
      await powerOffContainer(context, unit, signal);
    }
    await removeStopped(context, unit);
  });
}

/** Removes a container that removes itself; it may be gone by the time its turn comes. */
export function removeInBackground(context: ExecutionContext, unit: ContainerUnit): void {
  context.background.run(`Removing ${unit.id}`, async () =>
    unit.lock.run(async () => {
      const isThere = context.registry.byId(unit.id) === unit && unit.state.status !== 'running';
      if (isThere) await removeStopped(context, unit);
    }),
  );
}

/** Forgets a container whose machine is gone. */
export async function forgetContainer(context: ExecutionContext, unit: ContainerUnit): Promise<void> {
  if (context.registry.byId(unit.id) !== unit) return;
  unit.markRemoving();
  context.registry.delete(unit);
  await context.networks.disconnect(unit.id);
  context.networks.release(unit.id);
  unit.attachments.finish();
  unit.session?.close();
  unit.isRemoved = true;
  unit.publish({ type: 'container.removed', id: unit.id });
  unit.changes.notify();
}

async function removeStopped(context: ExecutionContext, unit: ContainerUnit): Promise<void> {
  const putBack = unit.markRemoving();
  const { ref } = unit.machine;
  await lastOutput(unit);
  context.removed.add(ref);
  try {
    await context.networks.disconnect(unit.id);
    await destroyMachine(context.machines, ref, context.background.signal);
  } catch (error) {
    context.removed.delete(ref);
    putBack();
    throw error;
  }
  await forgetContainer(context, unit);
}

/** What the process wrote last may still be in its machine, which goes off by itself once it is not. */
async function lastOutput(unit: ContainerUnit): Promise<void> {
  const done = new AbortController();
  const signal = AbortSignal.any([done.signal, AbortSignal.timeout(DELIVERY_MS)]);
  const isOff = (): true | undefined => unit.machine.powerState !== 'poweredOn' || undefined;
  try {
    await Promise.race([unit.attachments.delivered(signal), unit.changes.until(isOff, signal)]);
  } catch {
    // A reader that is slower gets no more.
  } finally {
    done.abort();
  }
}

function alreadyRemoving(unit: ContainerUnit): VicError {
  return new VicError({
    class: 'Conflict',
    code: 'CONTAINER_REMOVING',
    message: `removal of container ${unit.id} is already in progress`,
  });
}

function stillRunning(unit: ContainerUnit): VicError {
  return new VicError({
    class: 'Conflict',
    code: 'CONTAINER_RUNNING',
    message:
      `cannot remove container "/${unit.record.config.name}": container is running: ` +
      'stop the container before removing or force remove',
  });
}
